"""A part of a picture enlarged to its whole, with the mask and the boxes that belong to it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.train.tasks import Truth

_TRIES = 8
# A thing keeps its box where this share of it is seen.
_SEEN = 0.6


def cropped(
    picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator, most: float
) -> tuple[npt.NDArray[np.uint8], Truth]:
    """As large as before; the picture as it is where every try cuts something in two.

    Args:
        picture: uint8 [height, width, channels].
        truth: its mask and its boxes are cut alike.
        rng: says how much is cut away, and where.
        most: share of height and width that is cut away at most.
    """
    height, width = picture.shape[:2]
    for _ in range(_TRIES):
        kept = 1.0 - most * rng.random()
        high, wide = round(kept * height), round(kept * width)
        top, left = int(rng.integers(height - high + 1)), int(rng.integers(width - wide + 1))
        boxes = truth.boxes
        if boxes is not None:
            whole = _cut_boxes(boxes, left, top, wide, high)
            if whole is None:
                continue
            boxes = whole * np.array([width / wide, height / high] * 2 + [1.0], np.float32)
        part = picture[top : top + high, left : left + wide]
        large = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
        mask = truth.mask
        if mask is not None:
            mask = np.asarray(
                cv2.resize(
                    mask[top : top + high, left : left + wide], (width, height),
                    interpolation=cv2.INTER_NEAREST_EXACT,
                ),
                np.uint8,
            )  # fmt: skip
        made = np.asarray(large, np.uint8).reshape(picture.shape)
        return made, truth._replace(mask=mask, boxes=boxes)
    return picture, truth


def _cut_boxes(
    boxes: npt.NDArray[np.float32], left: int, top: int, wide: int, high: int
) -> npt.NDArray[np.float32] | None:
    """Those that are seen, from the part's corner; None where a bit of one is."""
    corner, size = np.array([left, top]), np.array([wide, high])
    begin = np.clip(boxes[:, :2] - corner, 0, size)
    end = np.clip(boxes[:, :2] + boxes[:, 2:4] - corner, 0, size)
    share = np.prod(end - begin, axis=1) / np.maximum(1e-6, np.prod(boxes[:, 2:4], axis=1))
    if ((share > 0) & (share < _SEEN)).any():
        return None
    cut = np.concatenate([begin, end - begin, boxes[:, 4:]], axis=1)
    return np.asarray(cut[share >= _SEEN], np.float32)
