"""The large picture from a small one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import MEASURES, loss, notes, summary

__all__ = ["MEASURES", "loss", "notes", "summary"]

WHAT = "the large picture from a small one"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "", "picture", True
COST = 0.015


@dataclass(frozen=True)
class Settings:
    """By how much it is enlarged."""

    scale: int = setting(2, "how many times larger the picture is a side", least=2, most=4)

    def __post_init__(self) -> None:
        check(self)


def frame_shape(settings: Settings, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The picture's, divided by the scale.

    Raises:
        EdgecrnnError: the scale does not divide it.
    """
    height, width, channels = shape
    if height % settings.scale or width % settings.scale:
        raise EdgecrnnError(
            f"size: expected a width and a height that the scale {settings.scale} divides, got "
            f"{width}x{height}; change --size"
        )
    return height // settings.scale, width // settings.scale, channels


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """The picture, as a change of the frame that was enlarged the simple way (Kim et al., 2016)."""
    return HeadShape(channels, settings.scale, form="change")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture made small, each pixel the mean of those it stands for."""
    height, width, channels = frame_shape(settings, (*picture.shape[:2], picture.shape[2]))
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    frame = np.asarray(small, np.uint8).reshape(height, width, channels)
    return Example(frame, picture.astype(np.float32))
