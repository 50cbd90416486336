"""Whether two values rise together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def spearman(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Spearman's correlation of ranks, equal values sharing theirs; 0 where one never changes."""
    ranks = _ranks(one), _ranks(other)
    if ranks[0].std() == 0 or ranks[1].std() == 0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    # The mean of the ranks that equal values take up.
    return np.asarray((ends - (counts - 1) / 2)[places], np.float64)
