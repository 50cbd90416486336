"""What a person reads of a picture task's measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgecrnn.train.pictures.judge import Measured


def measures_text(measures: Mapping[str, Measured], count: int) -> str:
    """A line for each measure, with the interval that holds it 95 times of 100."""
    width = max(map(len, measures))
    lines = [
        f"{name:<{width}}  {one.value:8.3f}   {one.low:.3f} to {one.high:.3f}"
        for name, one in measures.items()
    ]
    return "\n".join([*lines, f"({count} pictures; 95 % intervals)", ""])
