"""The well-exposed picture from one that is too dark or too bright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import MEASURES, loss, notes, same_shape, summary

__all__ = ["MEASURES", "loss", "notes", "summary"]

WHAT = "the well-exposed picture from one that is too dark or too bright"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "", "picture", True
COST = 0.04
frame_shape = same_shape


@dataclass(frozen=True)
class Settings:
    """How wrong the exposure is, and the noise that comes with it."""

    stops: float = setting(
        2.0, "largest error of the exposure, either way", unit="stops", least=0.1, most=4.0
    )
    noise: float = setting(
        4.0, "standard deviation of the sensor's noise", unit="levels of 255", least=0, most=50
    )

    def __post_init__(self) -> None:
        check(self)


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """The picture, as a change of the frame."""
    return HeadShape(channels, form="change")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture as another exposure would have taken it: light is scaled, not levels."""
    light = (picture / 255.0) ** _GAMMA * 2.0 ** rng.uniform(-settings.stops, settings.stops)
    levels = 255.0 * np.clip(light, 0.0, 1.0) ** (1.0 / _GAMMA)
    noisy = levels + rng.normal(0.0, settings.noise, picture.shape)
    return Example(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), picture.astype(np.float32))


_GAMMA = 2.2  # of a screen: levels are light to the power of 1 / 2.2
