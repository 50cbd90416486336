"""New pictures like those of a class, made of noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.seeds import seed_frame
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.measures.likeness import covered, nearest_labels
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "new pictures of a class, made of noise"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "classes", "picture", False
MEASURES = ("as_asked", "coverage")
COST = 0.3
frame_shape = same_shape


@dataclass(frozen=True)
class Settings:
    """How pictures are compared in training."""

    apart: float = setting(
        0.3, "how far apart pictures of two classes are held to be", least=0.0, most=10.0
    )

    def __post_init__(self) -> None:
        check(self)


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """The picture."""
    return HeadShape(channels, form="pixels")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """Noise that asks for the picture's class; the target's last channel is the class's number."""
    label = np.full((*picture.shape[:2], 1), truth.label)
    target = np.concatenate([picture, label], axis=-1).astype(np.float32)
    return Example(seed_frame((*picture.shape[:2], picture.shape[2]), truth.label, rng), target)


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """The batch's energy distance (Székely and Rizzo, 2013), each picture's part in it.

    It is least where made pictures, each with its class, are distributed as the true ones are: they
    have to be near to true ones, and as far from each other. Distances are taken at three sizes.
    """
    from keras import ops

    channels = answer.shape[-1]
    labels = target[:, 0, 0, channels:]
    other = settings.apart * ops.cast(ops.not_equal(labels, ops.transpose(labels)), "float32")
    itself = ops.eye(ops.shape(answer)[0])
    made, true = answer / 255.0, target[..., :channels] / 255.0
    cost: Any = 0.0
    for _ in range(3):
        near, between = _distances(made, true, other), _distances(made, made, other)
        others = ops.sum(between * (1.0 - itself), axis=1) / (ops.sum(1.0 - itself, axis=1) + 1e-6)
        cost = cost + 2.0 * ops.mean(near, axis=1) - others
        made, true = (ops.average_pool(each, 2) for each in (made, true))
    return cost


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """Whether the true picture nearest to each made one is of its class, and who is reached.

    The second is for each true picture whether a made one is as near to it as its fifth neighbour
    (Naeem et al., 2020).
    """
    made = [np.asarray(answer, np.float32) for answer in answers]
    true = [np.asarray(target[..., :-1], np.float32) for target in targets]
    labels = np.array([int(target[0, 0, -1]) for target in targets])
    as_asked = nearest_labels(made, true, labels) == labels
    return list(zip(as_asked.tolist(), covered(made, true, 5).tolist(), strict=True))


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """The shares of pictures for which that is so."""
    return dict(zip(MEASURES, np.mean(noted, axis=0).tolist(), strict=True))


def _distances(some: Any, others: Any, apart: Any) -> Any:
    """Root of the mean square between each two, [batch, batch], and of what parts classes."""
    from keras import ops

    x, y = (ops.reshape(each, (ops.shape(each)[0], -1)) for each in (some, others))
    numbers = ops.cast(ops.shape(x)[1], "float32")
    squares = ops.sum(ops.square(x), 1)[:, None] + ops.sum(ops.square(y), 1)[None]
    squares = (squares - 2.0 * ops.matmul(x, ops.transpose(y))) / numbers
    return ops.sqrt(ops.maximum(squares, 0.0) + apart + 1e-6)
