"""Results and streams made by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks import Stream

LABELS = ("cat", "dog")


def a_stream(**changes: Any) -> Stream:
    """A live stream of cats and dogs."""
    fields: dict[str, Any] = {
        "source": "/dev/video0",
        "labels": LABELS,
        "rate": 10.0,
        "live": True,
        "bundle": "pets",
    }
    return Stream(**{**fields, **changes})


def a_result(label: str, frame: int = 0, score: float = 0.9) -> Result:
    """A result as the classifier makes them."""
    scores = (score, 1 - score) if label != "dog" else (1 - score, score)
    return Result(1_700_000_000.0 + frame / 10, frame, label, score, scores, 1.5)


def a_frame(index: int = 0) -> Frame:
    """A small grey picture."""
    return Frame(np.full((12, 16, 3), 128, np.uint8), index, index / 10, time.monotonic())


def eventually(true: Callable[[], object], within: float = 5.0) -> bool:
    """Whether it comes true in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())
