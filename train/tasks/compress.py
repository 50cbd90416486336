"""The picture again, through a file of a stated size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import MEASURES, loss, notes, same_shape, summary

__all__ = ["MEASURES", "loss", "notes", "summary"]

WHAT = "the picture again, through a file of a stated size"
HEAD, NEEDS, ANSWER, FLIPS = "code", "", "picture", True
COST = 0.02
frame_shape = same_shape


@dataclass(frozen=True)
class Settings:
    """The bottleneck."""

    bits: float = setting(
        0.3, "what a file may come to, its head apart", unit="bits a pixel", least=0.02, most=3.0
    )
    numbers: int = setting(16, "whole numbers kept of each 8x8 pixels", least=1, most=64)
    levels: int = setting(8, "values that each of them can take", least=2, most=16)

    def __post_init__(self) -> None:
        check(self)


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """The picture, made of the code alone."""
    return HeadShape(
        channels,
        form="pixels",
        numbers=settings.numbers,
        levels=settings.levels,
        bits=settings.bits,
    )


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture, and the same picture."""
    return Example(picture, picture.astype(np.float32))
