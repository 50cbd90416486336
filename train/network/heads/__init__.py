"""What a network answers with; one file a head, its name is the file's name.

A head is a function `build(trunk, shape)` from a `Trunk` to the answer's symbolic tensor.
"""

from __future__ import annotations

import importlib
from typing import Any

from edgecrnn.train.network.trunk import Trunk
from edgecrnn.train.tasks import HeadShape


def build_head(name: str, trunk: Trunk, shape: HeadShape) -> Any:
    """The answer's tensor, float32 with the batch first."""
    return importlib.import_module(f"{__name__}.{name}").build(trunk, shape)
