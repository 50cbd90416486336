"""How like two sets of pictures are, by their nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

_SIDE = 12  # pixels: what is compared is what is seen, not single pixels
Pictures = Sequence[npt.NDArray[np.float32]]


def nearest_labels(
    made: Pictures, true: Pictures, labels: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The class of the true picture that is nearest to each made one."""
    return labels[_distances(made, true).argmin(axis=1)]


def covered(made: Pictures, true: Pictures, neighbours: int) -> npt.NDArray[np.bool_]:
    """For each true picture, whether a made one lies as near as that neighbour among the true.

    Source: Naeem et al., Reliable fidelity and diversity metrics for generative models, 2020.
    """
    among = np.sort(_distances(true, true), axis=1)
    # The first is the picture itself.
    radius = among[:, min(neighbours, among.shape[1] - 1)]
    return np.asarray(_distances(made, true).min(axis=0) <= radius)


def _distances(some: Pictures, others: Pictures) -> npt.NDArray[np.float64]:
    x, y = (np.stack([_small(each) for each in pictures]) for pictures in (some, others))
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _small(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float64).ravel() / 255.0
