"""From a frame to a result: pace, prepare, step, decide."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from edgecrnn.runtime.decision import UNKNOWN, DecisionSettings, DecisionState, decide
from edgecrnn.runtime.engine import Engine, State
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.manifest import Manifest
from edgecrnn.runtime.pacing import Pace, advance, starved
from edgecrnn.runtime.preprocess import prepare


@dataclass(frozen=True, slots=True)
class Result:
    """What was decided on one frame.

    `time` is in seconds: unix time for a live source, media time otherwise. `frame` is the frame's
    index in the source. `score` is the smoothed score of `label`; `scores` are the model's own, in
    the order of the bundle's labels. `latency_ms` runs from captured to decided.
    """

    time: float
    frame: int
    label: str
    score: float
    scores: tuple[float, ...]
    latency_ms: float


class Classifier:
    """Remembers pace, model state and decision of one stream.

    Args:
        engine: reads prepared frames.
        manifest: labels, preprocessing and the frame rate trained at.
        decision: the rule's numbers.
        live: whether results carry unix time.
        source_rate: frames a second that the source states, None where it states none.
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
        self._state: State = engine.zero_state()
        self._decision = DecisionState()
        self.resets = 0

    def __call__(self, frame: Frame) -> Result | None:
        """The result for a frame; None where the model's rate leaves it out.

        Raises:
            EdgecrnnError: the model answered with something that is no number.
        """
        shape = frame.image.shape
        if shape != self._shape:
            if self._shape:
                self._reset()
                self._pace = Pace(interval=self._pace.interval)
            self._shape = shape
        if self._rate is not None:
            step, self._pace = advance(self._pace, frame.time, self._rate)
            if not step.take:
                return None
            if step.reset:
                self._reset()
        prepared = prepare(frame.image, self._preprocessing)
        scores, self._state = self._engine.step(prepared, self._state)
        values = tuple(scores.tolist())
        if not math.isfinite(sum(values)):
            raise EdgecrnnError(
                f"model: expected scores that are numbers, got {values} for frame {frame.index}; "
                "try another --variant"
            )
        decision, self._decision = decide(scores, self._decision, self._settings)
        label = UNKNOWN if decision.label is None else self._labels[decision.label]
        age = time.monotonic() - frame.captured
        moment = time.time() - age if self._live else frame.time
        return Result(moment, frame.index, label, decision.score, values, 1000.0 * age)

    @property
    def fed_rate(self) -> float | None:
        """Frames a second that come, where the model was trained at a rate over a fifth higher."""
        if self._rate is None or not starved(self._pace, self._rate):
            return None
        return 1.0 / self._pace.interval

    def _reset(self) -> None:
        """Forget the stream so far."""
        self._state = self._engine.zero_state()
        self._decision = DecisionState()
        self.resets += 1
