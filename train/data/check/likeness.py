"""How much two pictures differ once brightness, a small shift and a small zoom are allowed for.

One thumbnail is fitted to the other by least squares of gain (bent), offset, shift and zoom to
first order (Lucas and Kanade, "An Iterative Image Registration Technique", 1981). What remains is
squared and averaged over small squares, and the worst square counts, in parts of the picture's
contrast: a copy differs a little everywhere, another moment before the same camera differs
somewhere. Measured by `bench/near_duplicates.py`.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.train.data.check.hashes import SIDE
from edgecrnn.train.data.check.neighbours import Places

_BLUR = 1.6  # pixels; the fit of a shift needs pictures without detail finer than the shift
_MARGIN = 3  # pixels at the border that are left out: a shift brings in what was not there
_INNER = SIDE - 2 * _MARGIN
_SQUARE = 4  # pixels of a square's side
_LEAST_CONTRAST = 6.0  # grey levels; below it noise would count as difference
_BATCH = 256

Floats = npt.NDArray[np.float32]


def differences(
    thumbnails: npt.NDArray[np.uint8],
    first: Places,
    second: Places,
) -> Floats:
    """What remains between files `first` and `second`, float32 [pairs]; 0 where they are alike.

    Args:
        thumbnails: uint8 [files, frames, SIDE, SIDE]; a clip's frames are compared in order, and
            the worst of them counts.
        first: places of files.
        second: likewise.
    """
    result = np.empty(len(first), np.float32)
    for start in range(0, len(first), _BATCH):
        part = slice(start, start + _BATCH)
        one, other = _blurred(thumbnails[first[part]]), _blurred(thumbnails[second[part]])
        contrast = (_contrast(one) + _contrast(other)) / 2
        # Both ways: a fit can explain a picture without contrast by any other.
        worst = np.maximum(_worst(_rest(one, other)), _worst(_rest(other, one)))
        each = (worst / np.maximum(contrast, _LEAST_CONTRAST)).reshape(-1, thumbnails.shape[1])
        result[part] = each.max(axis=1)
    return result


def _blurred(thumbnails: npt.NDArray[np.uint8]) -> Floats:
    flat = thumbnails.reshape(-1, SIDE, SIDE).astype(np.float32)
    return np.stack([cv2.GaussianBlur(one, (0, 0), _BLUR) for one in flat]).astype(np.float32)


def _contrast(pictures: Floats) -> Floats:
    return np.asarray(pictures.reshape(len(pictures), -1).std(axis=1), np.float32)


def _rest(one: Floats, other: Floats) -> Floats:
    """What a fit of each of `one` leaves of `other`, float32 [n, _INNER, _INNER]."""
    down, right = (np.asarray(slope, np.float32) for slope in np.gradient(one, axis=(1, 2)))
    place = np.linspace(-1, 1, SIDE, dtype=np.float32)
    zoom = right * place[None, None, :] + down * place[None, :, None]
    # The square bends the gain: what was brightened loses its highlights.
    bent = np.asarray(one * one / 255, np.float32)
    parts: list[Floats] = [one, bent, np.ones_like(one), right, down, zoom]
    explain = np.stack([_inner(part) for part in parts], axis=-1)
    wanted = _inner(other)[..., None]
    turned = explain.transpose(0, 2, 1)
    # The small diagonal keeps a picture of one colour solvable.
    square = turned @ explain + 0.01 * np.eye(len(parts), dtype=np.float32)
    rest = wanted - explain @ np.linalg.solve(square, turned @ wanted)
    return np.asarray(rest.reshape(-1, _INNER, _INNER), np.float32)


def _inner(pictures: Floats) -> Floats:
    kept = pictures[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return np.asarray(kept.reshape(len(pictures), -1), np.float32)


def _worst(rest: Floats) -> Floats:
    """The root of the mean square in the worst square of each."""
    means = [cv2.blur(one * one, (_SQUARE, _SQUARE)).max() for one in rest]
    return np.sqrt(np.array(means, np.float32))
