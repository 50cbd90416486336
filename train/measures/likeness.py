"""How like two sets of pictures are, by their nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

_ROWS = 1024  # pictures compared with all others at a time
_SIDE = 12  # pixels: what is compared is what is seen, not single pixels
Pictures = Sequence[npt.NDArray[np.float32]]


def nearest_labels(
    made: Pictures, true: Pictures, labels: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The class of the true picture that is nearest to each made one."""
    return labels[np.concatenate([far.argmin(axis=1) for far in _distances(made, true)])]


def covered(made: Pictures, true: Pictures, neighbours: int) -> npt.NDArray[np.bool_]:
    """For each true picture, whether a made one lies as near as that neighbour among the true.

    Source: Naeem et al., Reliable fidelity and diversity metrics for generative models, 2020.
    """
    # The first is the picture itself.
    which = min(neighbours, len(true) - 1)
    radius = np.concatenate([np.sort(far, axis=1)[:, which] for far in _distances(true, true)])
    nearest = np.min([far.min(axis=0) for far in _distances(made, true)], axis=0)
    return np.asarray(nearest <= radius)


def _distances(some: Pictures, others: Pictures) -> Iterator[npt.NDArray[np.float64]]:
    """Of some pictures at a time, to all of the others: [some, others] each."""
    x, y = (np.stack([_small(each) for each in pictures]) for pictures in (some, others))
    for start in range(0, len(x), _ROWS):
        rows = x[start : start + _ROWS]
        squares = (rows**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * rows @ y.T
        yield np.sqrt(np.maximum(squares, 0.0))


def _small(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float64).ravel() / 255.0
