"""How well edges were found: F1 with a tolerance of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

THRESHOLDS = np.linspace(0.05, 0.95, 19)


def edge_counts(
    found: npt.NDArray[np.float32], true: npt.NDArray[np.bool_], tolerance: int = 1
) -> npt.NDArray[np.int64]:
    """Pixels found, found rightly, true, and true ones found, at each of THRESHOLDS.

    The simple form of Martin et al., 2004: a pixel is right where one of the other map lies within
    the tolerance; pixels are not matched one to one.

    Args:
        found: how surely each pixel is an edge, 0 to 1, [height, width].
        true: whether it is one.
        tolerance: pixels.

    Returns:
        int64 [thresholds, 4].
    """
    near_true = _widened(true, tolerance)
    counts = []
    for threshold in THRESHOLDS:
        edges = found >= threshold
        near_found = _widened(edges, tolerance)
        counts.append(
            (edges.sum(), (edges & near_true).sum(), true.sum(), (true & near_found).sum())
        )
    return np.array(counts, np.int64)


def best_f1(counts: npt.NDArray[np.int64]) -> float:
    """The best F1 that one threshold gives over all pictures: counts [pictures, thresholds, 4]."""
    found, right, true, hit = np.moveaxis(counts.sum(axis=0), -1, 0)
    precision, recall = right / np.maximum(1, found), hit / np.maximum(1, true)
    f1 = 2 * precision * recall / np.maximum(1e-9, precision + recall)
    return float(f1.max())


def _widened(edges: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return np.asarray(cv2.dilate(edges.astype(np.uint8), kernel), bool)
