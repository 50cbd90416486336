"""What a training clip shows of its frames: nearer or further, moved, turned."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.preprocess import Image

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


def draw_boxes(
    size: tuple[int, int],
    count: int,
    crop: float,
    zoom_out: float,
    shift: float,
    rng: np.random.Generator,
) -> _Ints:
    """What is shown of each of `count` clips: int64 [count, 4], top, bottom, left, right.

    Args:
        size: (height, width) of the frames.
        crop: largest share of the size cut off.
        zoom_out: largest share by which the box is larger than the frame.
        shift: furthest that it is moved from there, share of the size.
        rng: draws.
    """
    share = 1 - rng.uniform(-zoom_out, crop, count)
    boxes = np.empty((count, 4), np.int64)
    for side, length in enumerate(size):
        shown = np.maximum(1, np.rint(share * length)).astype(np.int64)
        spare = length - shown
        first = rng.integers(np.minimum(0, spare), np.maximum(0, spare), endpoint=True)
        if shift:
            first += np.rint(length * rng.uniform(-shift, shift, count)).astype(np.int64)
        boxes[:, 2 * side], boxes[:, 2 * side + 1] = first, first + shown
    return boxes


def show(frames: Image, box: _Ints, angle: float, out: Image) -> None:
    """Write what `box` holds of `frames` [k, H, W, C], turned about its middle, into `out`.

    Args:
        frames: of one clip.
        box: top, bottom, left, right; may reach beyond the frame.
        angle: degrees against the clock.
        out: uint8 like `frames`.
    """
    height, width = frames.shape[1:3]
    top, bottom, left, right = box.tolist()
    inside = min(top, left) >= 0 and bottom <= height and right <= width
    if angle or not inside:
        shown = _affine(box, angle, (height, width))
        for frame, target in zip(frames, out, strict=True):
            # The edge's pixels go on outside: mirrored there, a thing would be seen twice.
            cv2.warpAffine(
                frame, shown, (width, height), dst=target, borderMode=cv2.BORDER_REPLICATE
            )
    elif (bottom - top, right - left) == (height, width):
        out[...] = frames
    else:
        for frame, target in zip(frames[:, top:bottom, left:right], out, strict=True):
            cv2.resize(frame, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)


def _affine(box: _Ints, angle: float, size: tuple[int, int]) -> _Floats:
    """Affine map [2, 3] of a frame to what the box holds of it, turned about its middle."""
    top, bottom, left, right = box
    height, width = size
    middle = ((left + right - 1) / 2, (top + bottom - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, angle, 1.0)
    turn[:, 2] += np.array([(width - 1) / 2, (height - 1) / 2]) - middle
    # Then as large as the frame.
    scale = np.diag([width / (right - left), height / (bottom - top)])
    about = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.asarray(
        np.column_stack([scale @ turn[:, :2], scale @ (turn[:, 2] - about) + about]), np.float64
    )
