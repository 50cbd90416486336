"""Whether what lies near belongs together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def hits(
    vectors: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.bool_]:
    """For each vector whether one of the k nearest others (by distance) has its label: bool [n]."""
    squares = np.sum(vectors.astype(np.float64) ** 2, axis=1)
    far = squares[:, None] + squares[None] - 2.0 * (vectors @ vectors.T)
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, :k]
    return np.asarray((labels[near] == labels[:, None]).any(axis=1))
