"""The clean picture from a noisy one, as a camera takes it in little light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.tasks import Example, HeadShape, Truth, _pixels

WHAT = "the clean picture from a noisy one"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "", "picture", True
MEASURES = _pixels.MEASURES


@dataclass(frozen=True)
class Settings:
    """The noise that is taken away."""

    noise: float = setting(
        25.0, "standard deviation of the noise", unit="levels of 255", least=1, most=100
    )

    def __post_init__(self) -> None:
        check(self)


def frame_shape(settings: Settings, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """As the picture's."""
    return shape


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


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """How far the picture is from the clean one."""
    return _pixels.loss(answer, target)


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """PSNR and SSIM of each picture."""
    return _pixels.notes(answers, targets)


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """Their means."""
    return _pixels.summary(noted)
