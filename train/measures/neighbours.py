"""Whether what lies near belongs together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_ROWS = 1024  # compared with all others at a time: memory grows with the pictures, not their square


def hits(
    vectors: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.bool_]:
    """For each vector whether one of the k nearest others (by distance) has its label: bool [n]."""
    squares = np.sum(vectors.astype(np.float64) ** 2, axis=1)
    found = [np.zeros(0, np.bool_)]
    for start in range(0, len(vectors), _ROWS):
        rows = slice(start, start + _ROWS)
        far = squares[rows, None] + squares[None] - 2.0 * (vectors[rows] @ vectors.T)
        own = np.arange(len(far))
        far[own, start + own] = np.inf
        near = np.argsort(far, axis=1, kind="stable")[:, :k]
        found.append((labels[near] == labels[rows, None]).any(axis=1))
    return np.concatenate(found)
