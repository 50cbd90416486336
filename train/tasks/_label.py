"""The class of the picture, as the second half of a pair: denoise+classify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "the class of it"
HEAD, NEEDS, ANSWER, FLIPS = "vector", "classes", "label", False
MEASURES = ("accuracy",)
COST = 0.3
frame_shape = same_shape


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """A score a class, adding up to one."""
    return HeadShape(classes, form="one")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture and the number of its class."""
    return Example(picture, np.array([truth.label], np.float32))


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """Cross-entropy."""
    from keras import ops

    return ops.sparse_categorical_crossentropy(ops.cast(target[:, 0], "int32"), answer)


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """Whether the highest score is the class's."""
    return [bool(np.argmax(a) == int(t[0])) for a, t in zip(answers, targets, strict=True)]


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """The share of pictures for which it is."""
    return {"accuracy": float(np.mean(noted))}
