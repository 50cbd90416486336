"""The whole picture from one with holes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import MEASURES, notes, same_shape, summary

__all__ = ["MEASURES", "notes", "summary"]

WHAT = "the whole picture from one with black holes"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "", "picture", True
COST = 0.03
frame_shape = same_shape


@dataclass(frozen=True)
class Settings:
    """The holes: black rectangles, as lost blocks of a transmission are."""

    share: float = setting(0.2, "of the picture that is lost", least=0.01, most=0.8)
    side: float = setting(
        0.25, "largest side of a hole, as a share of the picture's", least=0.02, most=1.0
    )

    def __post_init__(self) -> None:
        check(self)


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """The picture: what is there stays, what is black is written."""
    return HeadShape(channels, form="holes")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture with holes at random places."""
    frame = picture.copy()
    frame[holes(settings, (picture.shape[0], picture.shape[1]), rng)] = 0
    return Example(frame, picture.astype(np.float32))


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """The root of the mean square: what fills a hole is never certain, and is asked for the mean.

    Only holes cost, the rest is as it was. Each picture's PSNR is the logarithm of this.
    """
    from keras import ops

    return ops.sqrt(ops.mean(ops.square((answer - target) / 255.0), axis=(1, 2, 3)) + 1e-6)


def holes(
    settings: Settings, shape: tuple[int, int], rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Where nothing is left: bool [height, width]."""
    lost = np.zeros(shape, bool)
    while lost.mean() < settings.share:
        sides = [max(2, int(rng.uniform(0.3, 1.0) * settings.side * side)) for side in shape]
        top, left = (int(rng.integers(0, s - k + 1)) for s, k in zip(shape, sides, strict=True))
        lost[top : top + sides[0], left : left + sides[1]] = True
    return lost
