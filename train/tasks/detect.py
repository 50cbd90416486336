"""What is in a picture, and where: boxes with classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers.boxes import boxes_of
from edgecrnn.train.measures.boxes import box_notes, mean_average_precision
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "what is in a picture, and where"
HEAD, NEEDS, ANSWER, FLIPS = "grid", "boxes", "boxes", False
MEASURES = ("map_at_50",)
COST = 2.0
_CELL = 8  # pixels of the frame that a cell stands for
TARGET_CHANNELS = 6  # of an example's grid: as an answer's, the class as its number
_SURE = 0.05  # boxes less sure than this are no answer, whatever the threshold


@dataclass(frozen=True)
class Settings:
    """Nothing to choose."""


frame_shape = same_shape


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """Each cell: whether a box's centre lies in it, where, how large, and of which class."""
    return HeadShape(5 + classes, form="each")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture, and the grid that would be all right (Redmon et al., 2016)."""
    if truth.boxes is None:
        raise AssertionError("a task that needs boxes is given pictures with boxes")
    height, width = picture.shape[:2]
    rows, columns = height // _CELL, width // _CELL
    # One number for the class: the loss spreads it over the classes, which it alone counts.
    grid = np.zeros((rows, columns, TARGET_CHANNELS), np.float32)
    for left, top, wide, high, label in truth.boxes:
        x, y = (left + wide / 2) / _CELL, (top + high / 2) / _CELL
        row, column = min(rows - 1, int(y)), min(columns - 1, int(x))
        grid[row, column] = 1.0, x - column, y - row, wide / width, high / height, label
    return Example(picture, grid)


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """Cross-entropy of cells and classes, the absolute difference of boxes."""
    from keras import ops

    answer = ops.clip(answer, 1e-6, 1.0 - 1e-6)
    there = target[..., 0]
    cost = -3.0 * there * ops.log(answer[..., 0])
    cost -= (1.0 - there) * ops.log(1.0 - answer[..., 0])
    boxes = ops.sum(ops.abs(answer[..., 1:5] - target[..., 1:5]), axis=-1)
    true = ops.one_hot(ops.cast(target[..., 5], "int32"), answer.shape[-1] - 5)
    named = true * ops.log(answer[..., 5:]) + (1.0 - true) * ops.log(1.0 - answer[..., 5:])
    cost += there * (4.0 * boxes - ops.sum(named, axis=-1))
    return ops.sum(cost, axis=(1, 2)) / (1.0 + ops.sum(there, axis=(1, 2)))


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """Each picture's boxes by how sure they are, which of them are right, and the true ones."""
    return [
        box_notes(boxes_of(answer, _SURE), true_boxes(target))
        for answer, target in zip(answers, targets, strict=True)
    ]


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """The mean over classes of the average precision at an overlap of one half."""
    return {"map_at_50": mean_average_precision(noted)}


def true_boxes(target: npt.NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    """What a target says is there, as `boxes_of` says it of an answer.

    All of it: true boxes may lie on each other, of found ones only the surest is kept.
    """
    rows, columns = target.shape[:2]
    boxes: list[tuple[float, ...]] = []
    for row, column in np.argwhere(target[..., 0] > 0.5):
        _, x, y, width, height, label = target[row, column].tolist()
        left, top = (column + x) / columns - width / 2, (row + y) / rows - height / 2
        boxes.append((left, top, width, height, 1.0, label))
    return tuple(boxes)


def as_answer(target: npt.NDArray[np.float32], classes: int) -> npt.NDArray[np.float32]:
    """The grid of a target as a network that is always right would answer it."""
    named = np.eye(classes, dtype=np.float32)[target[..., 5].astype(int)]
    return np.concatenate([target[..., :5], named], axis=-1)
