"""What the network of a picture task is shown: examples made of pictures, in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.train.data.batches import Window
from edgecrnn.train.pictures.cropping import cropped
from edgecrnn.train.pictures.either import Asked, Either
from edgecrnn.train.pictures.load import Pictures
from edgecrnn.train.tasks import Example, PictureTask, Truth
from edgecrnn.train.tasks.detect import TARGET_CHANNELS
from edgecrnn.train.tasks.detect import as_answer as grid_as_answer

# Splits draw their noise, holes and so on from streams of their own, always the same.
_SPLITS = {"train": 1, "val": 2, "test": 3, "all": 4}
# Share of a side that is cut away at most where the data says what stands where in a picture.
_CROP = 0.25


def fixed_examples(
    task: PictureTask, settings: Any, pictures: Pictures, split: str
) -> Iterator[Example]:
    """The examples of each picture, the same ones each time: what is judged on."""
    for group in _fixed_groups(task, settings, pictures, split):
        yield from group


def _fixed_groups(
    task: PictureTask, settings: Any, pictures: Pictures, split: str
) -> Iterator[tuple[Example, ...]]:
    for index, (picture, truth) in enumerate(zip(pictures.pictures, pictures.truths, strict=True)):
        yield _of_picture(
            task, settings, picture, truth, np.random.default_rng((_SPLITS[split], index))
        )


def _of_picture(
    task: PictureTask,
    settings: Any,
    picture: npt.NDArray[np.uint8],
    truth: Truth,
    rng: np.random.Generator,
    most: float = 0.0,
) -> tuple[Example, ...]:
    """One example, or where a frame is read or generated from one of either kind.

    `most` is cut away where the data says what stands where; what is generated is whole.
    """
    part = picture, truth
    if most and (truth.mask is not None or truth.boxes is not None):
        part = cropped(picture, truth, rng, most)
    if isinstance(task, Either):
        return task.examples(settings, (picture, truth), part, rng)
    return (task.example(settings, *part, rng),)


def batch_steps(pictures: Pictures, batch: int) -> int:
    """How many batches an epoch has; every one is full."""
    return max(1, len(pictures) // batch)


def training_batches(
    task: PictureTask, settings: Any, pictures: Pictures, batch: int, seed: int, epoch: int
) -> Iterator[Window]:
    """One epoch: pictures in random order, each example made anew."""
    rng = np.random.default_rng((0, seed, epoch))
    order = rng.permutation(len(pictures))
    if len(order) < batch:
        order = np.resize(order, batch)
    for step in range(batch_steps(pictures, batch)):
        groups = []
        for index in order[step * batch : (step + 1) * batch]:
            picture, truth = pictures.pictures[index], pictures.truths[index]
            if task.FLIPS and rng.random() < 0.5:
                picture, truth = _mirrored(picture, truth)
            groups.append(_of_picture(task, settings, picture, truth, rng, _CROP))
        yield _window(groups, np.ones(batch, np.float32))


def judged_batches(
    task: PictureTask, settings: Any, pictures: Pictures, split: str, batch: int
) -> Iterator[Window]:
    """The fixed examples in batches; the last is filled up with examples that do not count."""
    groups = list(_fixed_groups(task, settings, pictures, split))
    for step in range(math.ceil(len(groups) / batch)):
        own = groups[step * batch : (step + 1) * batch]
        weights = (np.arange(batch) < len(own)).astype(np.float32)
        yield _window([*own, *[own[-1]] * (batch - len(own))], weights)


def as_answer(target: Any, classes: int) -> Any:
    """A target as an answer would be, for a model of so many classes."""
    if isinstance(target, Asked):
        return as_answer(target.target, classes)
    if isinstance(target, tuple):
        return tuple(as_answer(each, classes) for each in target)
    if isinstance(target, np.ndarray) and target.ndim == 3:
        if target.shape[-1] == TARGET_CHANNELS:
            return grid_as_answer(target, classes)
        if target.shape[-1] in (2, 4):
            # Behind a made picture's colors stands its class.
            return target[..., :-1]
    return target


def _window(groups: list[tuple[Example, ...]], weights: npt.NDArray[np.float32]) -> Window:
    """As the training loop takes them: sequences of one frame, all of the first kind first."""
    kinds = list(zip(*groups, strict=True))
    frames = np.stack([example.frame for kind in kinds for example in kind])
    weights = np.tile(weights, len(kinds))
    first = groups[0][0].target
    targets: Any
    if isinstance(first, Asked):
        targets = tuple(np.stack([e.target.target for e in kind])[:, None] for kind in kinds)
    elif isinstance(first, tuple):
        both = zip(*(example.target for example in kinds[0]), strict=True)
        targets = tuple(np.stack(each)[:, None] for each in both)
    else:
        targets = np.stack([example.target for example in kinds[0]])[:, None]
    return Window(frames[:, None], targets, weights[:, None], np.ones_like(weights))


def _mirrored(picture: npt.NDArray[np.uint8], truth: Truth) -> tuple[Any, Truth]:
    mask, boxes = truth.mask, truth.boxes
    if boxes is not None:
        boxes = boxes.copy()
        boxes[:, 0] = picture.shape[1] - boxes[:, 0] - boxes[:, 2]
    mask = None if mask is None else mask[:, ::-1]
    return np.ascontiguousarray(picture[:, ::-1]), truth._replace(mask=mask, boxes=boxes)
