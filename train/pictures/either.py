"""Generating beside another task: a frame of noise asks for a picture, any other frame to be read.

Over one encoder and LSTM, as in a pair, but no frame is answered by both: each picture of
the data gives an example of either kind, and each task is taught and judged by its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import EITHER
from edgecrnn.train.pictures.pair import GENERATE, Pair
from edgecrnn.train.tasks import Example, Truth

KINDS = 2
Shown = tuple[npt.NDArray[np.uint8], Truth]  # a picture, and what the data says of it
# Chosen on validation pictures: with as much say for both, what is made covers 87 % of what it does
# alone (generate+classify); with a tenth, regions keep 76 % of their IoU (generate+segment).
_OF_READING = 0.3


@dataclass(frozen=True)
class Asked:
    """The target of a frame that one of the two answers: 0 generates, 1 reads."""

    part: int
    target: Any


class Either(Pair):
    """Stands where a pair stands; the target of an example is an `Asked`.

    Pictures are made by class where the data of the other task has classes.

    Args:
        name: generate+B, checked.
    """

    def __init__(self, name: str):
        super().__init__(name)
        self.NEEDS = self.second.NEEDS
        self.ANSWER = EITHER.join((self.first.ANSWER, self.second.ANSWER))
        made = [each for each in self.first.MEASURES if self.by_class or each != "as_asked"]
        self.MEASURES = (*made, *self.second.MEASURES)
        self.says = (1.0, _OF_READING)

    @property
    def by_class(self) -> bool:
        """Whether noise asks for a picture of a class."""
        return self.NEEDS == "classes"

    def examples(
        self, settings: Any, whole: Shown, read: Shown, rng: np.random.Generator
    ) -> tuple[Example, ...]:
        """Noise from which the whole picture might have been made, and what of it is to be read."""
        made = [
            task.example(one, *shown, rng)
            for (task, one), shown in zip(self.each(settings), (whole, read), strict=True)
        ]
        return tuple(Example(one.frame, Asked(n, one.target)) for n, one in enumerate(made))

    def loss(self, settings: Any, answer: Any, target: Any) -> Any:
        """Each kind of frame by its own task, weighed by what it comes to once learned and its say.

        Args:
            settings: those of both.
            answer: of each task to all frames, of which the first half is noise.
            target: of each task for its own frames.
        """
        from keras import ops

        costs = []
        for say, (task, one), own, true in zip(
            self.says, self.each(settings), own_answers(answer), target, strict=True
        ):
            costs.append(say * task.loss(one, own, true) / task.COST)
        return ops.concatenate(costs, axis=0)

    def notes(self, settings: Any, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
        """(which task, its note) of each frame."""
        noted: list[Any] = [None] * len(targets)
        for part, (task, one) in enumerate(self.each(settings)):
            own = [n for n, asked in enumerate(targets) if asked.part == part]
            notes = task.notes(
                one, [answers[n][part] for n in own], [targets[n].target for n in own]
            )
            for n, note in zip(own, notes, strict=True):
                noted[n] = (part, note)
        return noted

    def summary(self, notes: Sequence[Any]) -> dict[str, float]:
        """The measures of both, each over the frames of its own."""
        found: dict[str, float] = {}
        for part, task in enumerate((self.first, self.second)):
            found.update(task.summary([note for which, note in notes if which == part]))
        return {name: found[name] for name in self.MEASURES}


def own_answers(answer: Any) -> tuple[Any, Any]:
    """What each task answered to its own half of the frames."""
    count = answer[0].shape[0]
    if count is None:
        from keras import ops

        count = ops.shape(answer[0])[0]
    half = count // KINDS
    return answer[0][:half], answer[1][half:]


def pair_of(name: str) -> Pair:
    """Two tasks, by a name that was checked."""
    return Either(name) if name.startswith(f"{GENERATE}+") else Pair(name)
