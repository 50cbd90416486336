"""From a frame to a result: pace, prepare, step, decide."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import Told
from edgecrnn.runtime.decision import (
    NONE,
    UNKNOWN,
    Decision,
    DecisionSettings,
    DecisionState,
    decide,
)
from edgecrnn.runtime.engine import Engine, State
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.manifest import Manifest
from edgecrnn.runtime.pacing import Pace, advance, starved
from edgecrnn.runtime.preprocess import prepare


class Memory(NamedTuple):
    """What a stream carries from frame to frame: the model's state and the decision's."""

    state: State
    decision: DecisionState


class Seen(NamedTuple):
    """What a result was made of: enough to give it again.

    `number` counts the classified frames of the stream from 0; `prepared` is the frame as the
    model read it, uint8 [height, width, channels]; `before` is the memory that it was read with;
    `fresh` says that this memory is that of a start or a reset.
    """

    number: int
    prepared: npt.NDArray[np.uint8]
    before: Memory
    fresh: bool


class Result(NamedTuple):
    """What was decided on one frame.

    `time` is in seconds: unix time for a live source, media time otherwise. `frame` is the frame's
    index in the source. `score` is the smoothed score of `label`; `scores` are the model's own, in
    the order of the bundle's labels. Where several labels may be true `label` is those that are,
    joined by +, or none, and `score` that of the least sure one. `latency_ms` runs from captured
    to decided. `seen` is what a recording keeps beside it. `told` is the answer of a model that
    answers with something else than labels.
    """

    time: float
    frame: int
    label: str
    score: float
    scores: tuple[float, ...]
    latency_ms: float
    seen: Seen | None = None
    told: Told | None = None


def start(engine: Engine) -> Memory:
    """The memory of a stream that has shown nothing yet."""
    return Memory(engine.zero_state(), DecisionState())


def conclude(
    engine: Engine,
    settings: DecisionSettings,
    prepared: npt.NDArray[np.uint8],
    before: Memory,
) -> tuple[tuple[float, ...], Decision, Memory]:
    """Scores, decision and the memory after one prepared frame; a recording is replayed with it."""
    answer, state = engine.step(prepared, before.state)
    scores = tuple(answer.tolist())
    decision, remembered = decide(scores, before.decision, settings)
    return scores, decision, Memory(state, remembered)


def named(decision: Decision, labels: tuple[str, ...]) -> str:
    """The decision's label, its labels joined by +, none, or unknown."""
    if decision.labels is not None:
        return "+".join(labels[index] for index in decision.labels) or NONE
    return UNKNOWN if decision.label is None else labels[decision.label]


class Classifier:
    """Remembers pace, model state and decision of one stream.

    Args:
        engine: reads prepared frames.
        manifest: labels, preprocessing and the frame rate trained at.
        decision: the rule's numbers.
        live: whether results carry unix time.
        source_rate: frames a second that the source states, None where it states none.

    Attributes:
        resets: times that the stream so far was forgotten.
        stepping: the monotonic time at which the model was given a frame that it has not
            answered yet; 0 while it has none. Another thread tells by it that a delegate hangs.
    """

    def __init__(
        self,
        engine: Engine,
        manifest: Manifest,
        decision: DecisionSettings,
        live: bool,
        source_rate: float | None = None,
    ):
        self._engine = engine
        self._labels = manifest.labels
        self._preprocessing = manifest.preprocessing
        self._rate = manifest.frame_rate if manifest.sequence == "time" else None
        self._settings = decision
        self._live = live
        self._pace = Pace(interval=1.0 / source_rate if source_rate else 0.0)
        self._shape: tuple[int, ...] = ()
        self._opening = 0
        self._memory = start(engine)
        self._fresh = True
        self._count = 0
        self.resets = 0
        self.stepping = 0.0

    def __call__(self, frame: Frame) -> Result | None:
        """The result for a frame; None where the model's rate leaves it out.

        Raises:
            EdgecrnnError: the model answered with something that is no number.
        """
        shape, opening = frame.image.shape, frame.opening
        if shape != self._shape or opening != self._opening:
            if self._shape:
                self._reset()
                self._pace = Pace(interval=self._pace.interval)
            self._shape, self._opening = shape, opening
        if self._rate is not None:
            step, self._pace = advance(self._pace, frame.time, self._rate)
            if not step.take:
                return None
            if step.reset:
                self._reset()
        prepared = prepare(frame.image, self._preprocessing)
        seen = Seen(self._count, prepared, self._memory, self._fresh)
        self.stepping = time.monotonic()
        values, decision, self._memory = conclude(
            self._engine, self._settings, prepared, self._memory
        )
        self.stepping = 0.0
        if not math.isfinite(sum(values)):
            raise EdgecrnnError(
                f"model: expected scores that are numbers, got {values} for frame {frame.index}; "
                "try another --variant"
            )
        self._fresh, self._count = False, self._count + 1
        label = named(decision, self._labels)
        age = time.monotonic() - frame.captured
        moment = time.time() - age if self._live else frame.time
        return Result(moment, frame.index, label, decision.score, values, 1000.0 * age, seen)

    @property
    def fed_rate(self) -> float | None:
        """Frames a second that come, where the model was trained at a rate over a fifth higher."""
        if self._rate is None or not starved(self._pace, self._rate):
            return None
        return 1.0 / self._pace.interval

    @property
    def warming(self) -> bool:
        """Whether the newest frame was answered with unknown, whatever it shows."""
        return 0 < self._memory.decision.frames <= self._settings.warmup

    def _reset(self) -> None:
        """Forget the stream so far."""
        self._memory = start(self._engine)
        self._fresh = True
        self.resets += 1
