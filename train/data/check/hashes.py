"""Small grey pictures of frames, and a perceptual hash of them.

The hash is pHash: the sign of each low frequency of the cosine transform against their median
(Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010), here with
16 by 16 frequencies: with the usual 8 by 8 every picture of a camera that stands still is alike.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 32  # pixels of a thumbnail's side
_FREQUENCIES = 16  # each way
BITS = _FREQUENCIES * _FREQUENCIES

Thumbnails = npt.NDArray[np.uint8]  # [frames, SIDE, SIDE]


def gray(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """uint8 [h, w] of a BGR frame uint8 [h, w, 3]."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def thumbnail(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A grey frame [h, w] as uint8 [SIDE, SIDE], each pixel the mean of what it covers."""
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def hashes(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """The bits of each frame's pHash: bool [..., BITS] of uint8 [..., SIDE, SIDE]."""
    flat = thumbnails.reshape(-1, SIDE, SIDE)
    bits = np.empty((len(flat), BITS), np.bool_)
    for place, one in enumerate(flat):
        low = cv2.dct(one.astype(np.float32))[:_FREQUENCIES, :_FREQUENCIES].ravel()
        # The first is the brightness alone: it would pull the middle its way.
        bits[place] = low > np.median(low[1:])
    return bits.reshape(*thumbnails.shape[:-2], BITS)
