"""Measures a picture model: what its task calls good, with how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.scan import SPLIT_NAMES
from edgecrnn.train.measures.bootstrap import Indices, resampled
from edgecrnn.train.pictures.examples import fixed_examples
from edgecrnn.train.pictures.load import PictureData, Pictures, joined
from edgecrnn.train.pictures.pair import Pair, output_name
from edgecrnn.train.tasks import Example, PictureTask

# A frame uint8 [h, w, channels] to an answer float32 without a batch; of a pair a tuple of two.
Answer = Callable[[npt.NDArray[np.uint8]], Any]


@dataclass(frozen=True)
class Measured:
    """One measure over the judged pictures; the interval holds it 95 times of 100."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PictureVerdict:
    """What came of the judged pictures; some tasks make two examples of each."""

    split: str
    count: int  # pictures
    measures: dict[str, Measured]
    notes: tuple[Any, ...]
    answers: tuple[Any, ...]
    examples: tuple[Example, ...]


def chosen_split(
    data: PictureData, asked: str | None = None, trained: str | None = None
) -> tuple[str, Pictures]:
    """The split asked for; else test, or what comes nearest to it.

    Other pictures than those trained on, in folders without splits, are judged all: "all".

    Args:
        data: the decoded folder.
        asked: a split of it.
        trained: the hash of the data trained on, where that may be other data.

    Raises:
        EdgecrnnError: there is no such split.
    """
    if asked is not None:
        if asked not in data.splits:
            raise EdgecrnnError(
                f"split: expected one of {', '.join(sorted(data.splits))}, got {asked!r}"
            )
        return asked, data.splits[asked]
    if trained not in (None, data.hash) and not any(map(_in_split, data.splits.values())):
        return "all", joined(list(data.splits.values()))
    split = next(name for name in ("test", "val", "train") if name in data.splits)
    return split, data.splits[split]


def _in_split(pictures: Pictures) -> bool:
    """Whether they lie in a folder that names their split."""
    return pictures.names[0].split("/")[0].lower() in SPLIT_NAMES


def judge(
    task: PictureTask, settings: Any, pictures: Pictures, split: str, answer: Answer
) -> PictureVerdict:
    """Answer the split's examples, always the same ones, and measure.

    Args:
        task: says what is good.
        settings: the task's own.
        pictures: of the split.
        split: its name.
        answer: a frame uint8 [h, w, channels] to an answer float32 without a batch.
    """
    examples = tuple(fixed_examples(task, settings, pictures, split))
    answers = tuple(answer(example.frame) for example in examples)
    notes = task.notes(settings, answers, [example.target for example in examples])
    measures = measured(task, notes, len(examples) // len(pictures))
    return PictureVerdict(split, len(pictures), measures, tuple(notes), answers, examples)


def measured(task: PictureTask, notes: Sequence[Any], each: int = 1) -> dict[str, Measured]:
    """The task's measures with their intervals, by drawing the pictures again (Efron, 1979).

    Args:
        task: says what is good.
        notes: of one picture after the other.
        each: how many there are of a picture.
    """
    whole = task.summary(notes)
    result = {}
    for name in task.MEASURES:

        def value(chosen: Indices, name: str = name) -> float:
            drawn = [note for i in chosen for note in notes[i * each : (i + 1) * each]]
            return task.summary(drawn)[name]

        result[name] = Measured(whole[name], *resampled(value, len(notes) // each))
    return result


def keras_answer(task: PictureTask, model: Any) -> Answer:
    """The run's model, a frame at a time."""
    import tensorflow as tf

    from edgecrnn.train.pictures.network import answers_of, mapped

    @tf.function(reduce_retracing=True, autograph=False)
    def read(frame: Any) -> Any:
        outputs = model({"frame": tf.cast(frame, tf.float32)[None]}, training=False)
        return mapped(lambda each: each[0], answers_of(task, outputs))

    def answer(frame: npt.NDArray[np.uint8]) -> Any:
        return mapped(lambda each: np.asarray(each, np.float32), read(frame))

    return answer


def engine_answer(task: PictureTask, engine: Engine) -> Answer:
    """A bundle's variant, a frame at a time."""

    def answer(frame: npt.NDArray[np.uint8]) -> Any:
        parts = engine.parts(engine.step(frame, {})[0])
        if isinstance(task, Pair):
            return parts[output_name(task.first)], parts[output_name(task.second)]
        return parts[output_name(task)]

    return answer
