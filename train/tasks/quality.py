"""How good a picture is, without the good one beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.measures.correlation import spearman
from edgecrnn.train.measures.pictures import ssim
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "how like its good original a picture is (SSIM), the original unseen"
HEAD, NEEDS, ANSWER, FLIPS = "vector", "", "value", True
MEASURES = ("spearman",)
COST = 0.3
# A picture that is the same is held to be as good as one with an SSIM of 0.98.
_FLOOR = 0.02


@dataclass(frozen=True)
class Settings:
    """What may have been done to a picture, up to which strength."""

    noise: float = setting(
        50.0, "largest standard deviation of noise", unit="levels of 255", least=1, most=100
    )
    blur: float = setting(3.0, "largest blur", unit="pixels (sigma)", least=0.5, most=16)
    jpeg: int = setting(5, "worst quality of a JPEG", least=1, most=90)

    def __post_init__(self) -> None:
        check(self)


frame_shape = same_shape


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """One value."""
    return HeadShape(1, form="each")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture, spoilt in one way or not at all, and its SSIM with what it was."""
    way, strength = int(rng.integers(0, 4)), rng.random()
    frame = picture
    if way == 1:
        noisy = picture + rng.normal(0.0, strength * settings.noise, picture.shape)
        frame = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    elif way == 2:
        blurred = cv2.GaussianBlur(picture, (0, 0), 0.2 + strength * settings.blur)
        frame = np.asarray(blurred, np.uint8).reshape(picture.shape)
    elif way == 3:
        level = round(95 - strength * (95 - settings.jpeg))
        packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, level])[1]
        opened = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        frame = np.asarray(opened, np.uint8).reshape(picture.shape)
    return Example(frame, np.array([max(0.0, ssim(frame, picture))], np.float32))


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """The absolute difference of -log(1 - SSIM): 0.95 is about as far from 0.9 as 0.8 is from 0.6.

    Blur and JPEG leave most pictures above 0.8, noise few: as SSIM itself, noise would be all that
    there is to learn.
    """
    from keras import ops

    said, true = (ops.log(1.0 + _FLOOR - each) for each in (answer, target))
    return ops.mean(ops.abs(said - true), axis=-1)


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """(Said, true) of each picture."""
    return [(float(a[0]), float(t[0])) for a, t in zip(answers, targets, strict=True)]


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """Spearman's correlation of ranks."""
    said, true = np.asarray(noted, np.float64).T
    return {"spearman": spearman(said, true)}
