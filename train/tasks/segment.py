"""The class of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.train.measures.regions import confusion, mean_iou
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "the class of every pixel"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "masks", "regions", False
MEASURES = ("mean_iou",)
COST = 0.1


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


frame_shape = same_shape


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """How surely each pixel is of each class."""
    return HeadShape(classes, form="one")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture, and its mask as numbers of classes [height, width]."""
    if truth.mask is None:
        raise AssertionError("a task that needs masks is given pictures with masks")
    return Example(picture, truth.mask.astype(np.float32))


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """Cross-entropy; the first class, which is most of a picture, weighs a quarter."""
    from keras import ops

    true = ops.one_hot(ops.cast(target, "int32"), answer.shape[-1])
    cost = -ops.sum(true * ops.log(ops.clip(answer, 1e-6, 1.0)), axis=-1)
    weight = ops.where(ops.equal(target, 0.0), 0.25, 1.0)
    return ops.mean(cost * weight, axis=(1, 2))


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """Each picture's confusion of classes."""
    return [
        confusion(answer.argmax(-1), target.astype(np.int64), answer.shape[-1])
        for answer, target in zip(answers, targets, strict=True)
    ]


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """The mean over classes of intersection over union (Everingham et al., 2010)."""
    return {"mean_iou": mean_iou(np.sum(noted, axis=0))}
