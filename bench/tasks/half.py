"""One task of a pair alone: the same frames, targets and loss, a network with one head."""

from __future__ import annotations

import dataclasses
from typing import Any

from edgecrnn.train.pictures.either import Either
from edgecrnn.train.pictures.load import Pictures
from edgecrnn.train.pictures.pair import Pair
from edgecrnn.train.tasks import Example, PictureTask, Truth


class Half:
    """One task of a pair alone, over the frames that it reads there.

    Args:
        pair: two tasks.
        part: 0 or 1.
    """

    def __init__(self, pair: Pair, part: int):
        self._pair, self._part = pair, part
        own = (pair.first, pair.second)[part]
        self.WHAT, self.HEAD, self.ANSWER = own.WHAT, own.HEAD, own.ANSWER
        self.NEEDS, self.FLIPS, self.COST, self.Settings = (
            pair.NEEDS, pair.FLIPS, own.COST, pair.Settings,
        )  # fmt: skip
        self.MEASURES = tuple(name for name in own.MEASURES if name in pair.MEASURES)

    def shown(self, pictures: Pictures) -> Pictures:
        """The pictures with what it is told of them: what is generated is never cut, as there."""
        if not isinstance(self._pair, Either) or self._part:
            return pictures
        truths = tuple(Truth(each.label) for each in pictures.truths)
        return dataclasses.replace(pictures, truths=truths)

    def _own(self, settings: Any) -> tuple[PictureTask, Any]:
        return self._pair.each(settings)[self._part]

    def frame_shape(self, settings: Any, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return self._pair.frame_shape(settings, shape)

    def head_shape(self, settings: Any, channels: int, classes: int) -> Any:
        return self._pair.head_shapes(settings, channels, classes)[self._part]

    def example(self, settings: Any, picture: Any, truth: Any, rng: Any) -> Example:
        if isinstance(self._pair, Either):
            task, own = self._own(settings)
            return task.example(own, picture, truth, rng)
        shown = self._pair.example(settings, picture, truth, rng)
        return Example(shown.frame, shown.target[self._part])

    def loss(self, settings: Any, answer: Any, target: Any) -> Any:
        task, own = self._own(settings)
        return task.loss(own, answer, target) / task.COST

    def notes(self, settings: Any, answers: Any, targets: Any) -> list[Any]:
        task, own = self._own(settings)
        return task.notes(own, answers, targets)

    def summary(self, notes: Any) -> dict[str, float]:
        return self._own(self.Settings())[0].summary(notes)
