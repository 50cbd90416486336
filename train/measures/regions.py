"""How well regions were found: intersection over union."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def confusion(found: Any, true: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.int64]:
    """Pixels by true class (row) and found class (column): int64 [classes, classes]."""
    pairs = true.ravel() * classes + np.asarray(found, np.int64).ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def mean_iou(counts: npt.NDArray[np.int64]) -> float:
    """The mean over classes of shared pixels over pixels of either; absent classes do not count."""
    shared = np.diag(counts)
    either = counts.sum(axis=0) + counts.sum(axis=1) - shared
    there = either > 0
    return float((shared[there] / either[there]).mean()) if there.any() else 0.0
