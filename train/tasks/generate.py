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
from edgecrnn.train.tasks._energy import apart, energy, energy_of_maps, random_features
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "new pictures of a class, made of noise"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "classes", "picture", False
MEASURES = ("as_asked", "coverage")
COST = 0.6
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
    """The batch's energy distance, each picture's part in it, at three sizes and of features."""
    from keras import ops

    channels = answer.shape[-1]
    parted = apart(target[:, 0, 0, channels:], settings.apart)
    made, true = answer / 255.0, target[..., :channels] / 255.0
    cost = energy_of_maps(random_features(made), random_features(true), parted)
    for _ in range(3):
        cost = cost + energy(made, true, parted)
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
