"""The only preprocessing: training, calibration, conversion checks and the live loop call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

Image = npt.NDArray[np.uint8]
_FAR = 3  # times as large a side as wanted: what is left to the last step averages over enough


@dataclass(frozen=True)
class Preprocessing:
    """How a picture from a file or a camera becomes the uint8 frame that the model reads."""

    height: int = setting(64, "height of the frame the model reads", unit="pixels", least=8)
    width: int = setting(64, "width of the frame the model reads", unit="pixels", least=8)
    color: str = setting("rgb", "channels of the frame", choices=("rgb", "gray"))
    fit: str = setting(
        "stretch",
        "how another aspect ratio is made to fit: stretch it, crop its centre, pad it with black",
        choices=("stretch", "crop", "pad"),
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def channels(self) -> int:
        """3 for rgb, 1 for gray."""
        return 3 if self.color == "rgb" else 1

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the frame."""
        return (self.height, self.width, self.channels)


def prepare(image: npt.NDArray[Any], preprocessing: Preprocessing) -> Image:
    """One frame as the model reads it.

    Args:
        image: uint8 [h, w, 3] in OpenCV's BGR order, [h, w, 4] BGRA, or [h, w] gray.
        preprocessing: size, colour and fit.

    Returns:
        uint8 [height, width, channels], contiguous, RGB or gray; not normalised: that is
        inside the graph.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise EdgecrnnError(
            f"image: expected uint8 pixels [h, w] or [h, w, channels], "
            f"got {image.dtype} {image.shape}"
        )
    height, width = preprocessing.height, preprocessing.width
    if preprocessing.fit != "stretch":
        image = _to_aspect(image, height / width, preprocessing.fit)
    image = _halved(image, height, width)
    if image.shape[:2] != (height, width):
        # Area averaging only where it shrinks: enlarging with it gives blocks.
        shrinks = image.shape[0] > height or image.shape[1] > width
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        image = cv2.resize(image, (width, height), interpolation=interpolation)
    return np.ascontiguousarray(to_color(image, preprocessing.color))


def _halved(image: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """The image at half its size, again and again while it is still far larger than wanted.

    The mean of two by two pixels is what OpenCV does fastest by far: from 640x480 to 48x48 in two
    steps and the rest takes a quarter of the time, and differs by 0.4 levels of 255 in the mean.
    """
    rows, columns = image.shape[:2]
    while not (rows % 2 or columns % 2) and rows >= _FAR * height and columns >= _FAR * width:
        rows, columns = rows // 2, columns // 2
        image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    return image


def _to_aspect(image: npt.NDArray[Any], aspect: float, fit: str) -> npt.NDArray[Any]:
    """Crop or pad so that height / width is `aspect`, to the nearest pixel."""
    height, width = image.shape[:2]
    if fit == "crop":
        new_height = min(height, max(1, round(width * aspect)))
        new_width = min(width, max(1, round(height / aspect)))
        top, left = (height - new_height) // 2, (width - new_width) // 2
        return image[top : top + new_height, left : left + new_width]
    new_height = max(height, round(width * aspect))
    new_width = max(width, round(height / aspect))
    top, left = (new_height - height) // 2, (new_width - width) // 2
    bottom, right = new_height - height - top, new_width - width - left
    return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)


def to_color(image: npt.NDArray[Any], color: str) -> npt.NDArray[Any]:
    """[h, w, 3] RGB or [h, w, 1] gray from BGR, BGRA or gray.

    Raises:
        EdgecrnnError: it has another number of channels.
    """
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in (1, 3, 4):
        raise EdgecrnnError(f"image: expected 1, 3 or 4 channels, got {channels}")
    if color == "gray":
        codes = {3: cv2.COLOR_BGR2GRAY, 4: cv2.COLOR_BGRA2GRAY}
        gray = image if channels == 1 else cv2.cvtColor(image, codes[channels])
        return gray.reshape(*gray.shape[:2], 1)
    codes = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    return cv2.cvtColor(image, codes[channels])
