"""What runs the model, as `edgecrnn run` and its pages say it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgecrnn.runtime.session import Placement


@dataclass(frozen=True)
class About:
    """An engine in words.

    Attributes:
        variant: of the bundle.
        runtime: package and version, for example "ai-edge-litert 2.3.0".
        delegate: its name, for example cpu.
        runs_on: XNNPACK, a library, a GPU's adapter.
        threads: of the CPU.
        placement: which operators the delegate took.
        golden: the largest difference of a score from the bundle's golden frames; None where
            they were not compared.
        tolerance: what it may be.
    """

    variant: str
    runtime: str
    delegate: str
    runs_on: str
    threads: int
    placement: Placement
    golden: float | None = None
    tolerance: float = 0.0

    @property
    def left(self) -> frozenset[int]:
        """Indexes of the operators that the delegate left."""
        return frozenset(range(len(self.placement.operators))) - self.placement.taken

    def text(self) -> str:
        """One line: who took what, and how far from the golden frames it is."""
        placed = self.placement
        pieces = placed.partitions
        said = (
            f"{self.variant}, {self.threads} thread{'s' * (self.threads != 1)}; "
            f"{self.delegate} ({self.runs_on}, {self.runtime}) took {len(placed.taken)} of "
            f"{len(placed.operators)} operators"
        )
        if placed.taken:
            said += f" in {pieces} partition{'s' * (pieces != 1)}"
        if self.left:
            said += f", left {counted(placed.names(self.left))}"
        if placed.helped:
            said += f" ({len(placed.helped)} of them to XNNPACK)"
        if self.golden is not None:
            said += f"; golden frames within {self.golden:.4f} (at most {self.tolerance:.4f})"
        return said

    def facts(self) -> dict[str, Any]:
        """The same as JSON values."""
        placed = self.placement
        return {
            "variant": self.variant,
            "runtime": self.runtime,
            "delegate": self.delegate,
            "runs_on": self.runs_on,
            "threads": self.threads,
            "operators": len(placed.operators),
            "taken": dict(Counter(placed.names(placed.taken))),
            "left": dict(Counter(placed.names(self.left))),
            "helped_by_xnnpack": len(placed.helped),
            "partitions": placed.partitions,
            "golden": self.golden,
            "tolerance": self.tolerance,
        }

    def compared(self, golden: float, tolerance: float) -> About:
        """The same, with what the golden frames told."""
        return dataclasses.replace(self, golden=golden, tolerance=tolerance)


def counted(names: Sequence[str]) -> str:
    """For example "2 MUL, 1 ADD"."""
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())
