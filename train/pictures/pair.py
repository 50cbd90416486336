"""Two picture tasks over one encoder and LSTM: the first makes the frame, both answer it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, from_mapping
from edgecrnn.train.tasks import (
    LABEL_TASKS,
    Example,
    HeadShape,
    PictureTask,
    Truth,
    task_names,
)

# A frame is mended of what lies near; what it shows has to be learned by all that both share, and
# is not learned where mending has as much to say in it.
_OF_MENDING = 0.1
# It hands out a code too.
_ALONE = ("compress",)
_LABEL = "classify"
# Its frames are noise: each frame asks for one answer, see either.py.
GENERATE = "generate"


def check_pair(name: str) -> None:
    """Refuse what is not two picture tasks that can go together.

    Raises:
        EdgecrnnError: with the sentence.
    """
    parts = name.split("+")
    known = [task for task in task_names() if task not in (*LABEL_TASKS, *_ALONE)]
    known.append(_LABEL)
    if len(parts) != 2 or not set(parts) <= set(known):
        raise EdgecrnnError(
            f"task: expected two of {', '.join(known)} joined by +, for example denoise+detect, "
            f"got {name!r}"
        )
    if parts[1] == GENERATE:
        raise EdgecrnnError(
            f"task: expected {GENERATE} before the other task, got {name!r}; write "
            f"{GENERATE}+{parts[0]}"
        )
    first, second = (_task(part) for part in parts)
    if output_name(first) == output_name(second):
        raise EdgecrnnError(
            f"task: expected two tasks with different answers, got {name!r}, which both answer "
            f"with a {output_name(first)}"
        )
    # What is generated need not be of a class.
    needs = "" if parts[0] == GENERATE else first.NEEDS
    if needs and second.NEEDS and needs != second.NEEDS:
        raise EdgecrnnError(
            f"task: expected two tasks that need no more than one of {first.NEEDS} and "
            f"{second.NEEDS} beside the pictures, got {name!r}"
        )


def output_name(task: PictureTask) -> str:
    """The answer's name in the graph: picture, map, grid or vector."""
    # Pixels are known to be 0 to 255; what else a decoder makes of places is a map.
    if task.head_shape(task.Settings(), 3, 2).form in ("pixels", "change", "holes"):
        return "picture"
    return "map" if task.HEAD == "picture" else task.HEAD


def _mends(task: PictureTask) -> bool:
    """Whether it answers with its frame, changed."""
    return task.head_shape(task.Settings(), 3, 2).form in ("change", "holes")


class Pair:
    """Stands where a picture task stands; answers and targets are tuples of two.

    Args:
        name: A+B, checked.
    """

    def __init__(self, name: str):
        self.first, self.second = (_task(part) for part in name.split("+"))
        both = (self.first, self.second)
        self.WHAT = " and ".join(task.WHAT for task in both)
        self.HEAD = "+".join(task.HEAD for task in both)
        self.NEEDS = self.first.NEEDS or self.second.NEEDS
        self.ANSWER = "+".join(task.ANSWER for task in both)
        self.FLIPS = all(task.FLIPS for task in both)
        self.MEASURES = (*self.first.MEASURES, *self.second.MEASURES)
        self.COST = 1.0
        self.Settings = _settings_of(self.first, self.second)
        self.says = tuple(_OF_MENDING if _mends(task) else 1.0 for task in both)

    def frame_shape(self, settings: Any, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """As the first makes it; the second has to read the same.

        Raises:
            EdgecrnnError: it does not.
        """
        ours = [task.frame_shape(one, shape) for task, one in self.each(settings)]
        if ours[0] != ours[1]:
            raise EdgecrnnError(
                f"task: expected two tasks that read frames of one size, got {ours[0]} and "
                f"{ours[1]}; change --size or take other tasks"
            )
        return ours[0]

    def head_shapes(self, settings: Any, channels: int, classes: int) -> list[HeadShape]:
        """What each asks of its head."""
        return [task.head_shape(one, channels, classes) for task, one in self.each(settings)]

    def head_shape(self, settings: Any, channels: int, classes: int) -> HeadShape:
        """The first one's."""
        return self.head_shapes(settings, channels, classes)[0]

    def example(
        self, settings: Any, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
    ) -> Example:
        """The first one's example, and what the second would answer to the picture behind it."""
        (first, one), (second, other) = self.each(settings)
        shown = first.example(one, picture, truth, rng)
        return Example(
            shown.frame, (shown.target, second.example(other, picture, truth, rng).target)
        )

    def loss(self, settings: Any, answer: Any, target: Any) -> Any:
        """Both losses, each weighed by what it comes to once it is learned, and by its say."""
        costs = [
            say * task.loss(one, a, t) / task.COST
            for say, (task, one), a, t in zip(
                self.says, self.each(settings), answer, target, strict=True
            )
        ]
        return costs[0] + costs[1]

    def notes(self, settings: Any, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
        """Pairs of notes."""
        noted = [
            task.notes(one, [each[i] for each in answers], [each[i] for each in targets])
            for i, (task, one) in enumerate(self.each(settings))
        ]
        return list(zip(*noted, strict=True))

    def summary(self, notes: Sequence[Any]) -> dict[str, float]:
        """The measures of both."""
        both = (self.first, self.second)
        summaries = [task.summary([n[i] for n in notes]) for i, task in enumerate(both)]
        return {**summaries[0], **summaries[1]}

    def each(self, settings: Any) -> list[tuple[PictureTask, Any]]:
        """Each task with its own part of the settings."""
        values = dataclasses.asdict(settings)
        pairs = []
        for task in (self.first, self.second):
            own = {field.name for field in dataclasses.fields(task.Settings)}
            chosen = {name: value for name, value in values.items() if name in own}
            pairs.append((task, from_mapping(task.Settings, chosen, "--set")))
        return pairs


def _task(name: str) -> PictureTask:
    if name == _LABEL:
        from edgecrnn.train.tasks import _label

        return cast(PictureTask, _label)
    from edgecrnn.train.tasks import picture_task

    return picture_task(name)


def _settings_of(first: PictureTask, second: PictureTask) -> type[Any]:
    """The settings of both as one dataclass; a name that both have is meant for both."""
    fields: dict[str, tuple[str, Any, Any]] = {}
    for task in (first, second):
        for field in dataclasses.fields(task.Settings):
            made = dataclasses.field(default=field.default, metadata=field.metadata)
            fields.setdefault(field.name, (field.name, field.type, made))
    return dataclasses.make_dataclass(
        "Settings", list(fields.values()), frozen=True, namespace={"__post_init__": check}
    )
