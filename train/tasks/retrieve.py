"""A vector by which pictures of the same class are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.measures.neighbours import hits
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "a vector by which pictures of the same class are found"
HEAD, NEEDS, ANSWER, FLIPS = "vector", "classes", "embedding", False
MEASURES = ("recall_at_1", "recall_at_10")
COST = 1.5


@dataclass(frozen=True)
class Settings:
    """The vector, and how it is learned."""

    numbers: int = setting(64, "length of the vector", least=2, most=1024)
    temperature: float = setting(
        0.1, "how sharply near and far are told apart in training", least=0.01, most=1.0
    )

    def __post_init__(self) -> None:
        check(self)


frame_shape = same_shape


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """A vector of length one: the nearer two are, the larger their product."""
    return HeadShape(settings.numbers, form="unit")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture and the number of its class."""
    return Example(picture, np.array([truth.label], np.float32))


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """Supervised contrastive: pictures find those of their class (Khosla et al., 2020)."""
    from keras import ops

    itself = ops.eye(ops.shape(answer)[0])
    near = ops.matmul(answer, ops.transpose(answer)) / settings.temperature - 1e9 * itself
    same = ops.cast(ops.equal(target, ops.transpose(target)), "float32") * (1.0 - itself)
    chance = near - ops.logsumexp(near, axis=1, keepdims=True)
    return -ops.sum(same * chance, axis=1) / ops.maximum(1.0, ops.sum(same, axis=1))


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """Whether the nearest other picture, and one of the nearest ten, is of the same class."""
    labels = np.array([int(target[0]) for target in targets])
    return list(zip(*(hits(np.stack(answers), labels, k) for k in (1, 10)), strict=True))


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """The shares of pictures for which that is so."""
    return dict(zip(MEASURES, np.mean(noted, axis=0).tolist(), strict=True))
