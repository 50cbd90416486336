"""The clean picture from a noisy one, as a camera takes it in little light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import MEASURES, loss, notes, same_shape, summary

__all__ = ["MEASURES", "loss", "notes", "summary"]

WHAT = "the clean picture from a noisy one"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "", "picture", True
COST = 0.02
frame_shape = same_shape


@dataclass(frozen=True)
class Settings:
    """The noise that is taken away."""

    noise: float = setting(
        25.0, "standard deviation of the noise", unit="levels of 255", least=1, most=100
    )

    def __post_init__(self) -> None:
        check(self)


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """The picture, as a change of the frame: the noise is learned (Zhang et al., 2017)."""
    return HeadShape(channels, form="change")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture with noise of its own."""
    noisy = picture + rng.normal(0.0, settings.noise, picture.shape)
    frame = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return Example(frame, picture.astype(np.float32))
