"""Where an int8 graph rounds its tensors; in float nothing is rounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Called with a tensor and the kind of range it has: "frame" (-1 to 1), "sigmoid" (0 to 1), "tanh"
# (-1 to 1), "cell" (the cell state's), "gates", "features" or "logits" (measured).
Rounding = Callable[[Any, str], Any]


def as_it_is(tensor: Any, kind: str) -> Any:
    """Float arithmetic: the tensor itself."""
    return tensor
