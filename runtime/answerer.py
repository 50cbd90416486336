"""From a frame to an answer that is no label: prepare, step, tell."""

from __future__ import annotations

import time

import numpy as np

from edgecrnn.runtime.answers import LABELS, teller_of
from edgecrnn.runtime.classifier import Classifier, Result
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.generating import TASK as GENERATE
from edgecrnn.runtime.manifest import Manifest
from edgecrnn.runtime.preprocess import prepare
from edgecrnn.runtime.seeds import asked_for


class Answerer:
    """Stands in a loop where a `Classifier` stands; each frame is answered for itself.

    Args:
        engine: reads prepared frames.
        manifest: labels, preprocessing, and how answers are told.
        live: whether results carry unix time.

    Attributes:
        resets: 0, for nothing is remembered.
        stepping: as a classifier's.
    """

    # What a classifier tells of its memory.
    fed_rate: float | None = None
    warming = False

    def __init__(self, engine: Engine, manifest: Manifest, live: bool):
        self._engine = engine
        self._told = teller_of(manifest.answer)
        self._labels = manifest.labels
        self._generates = manifest.task == GENERATE
        self._preprocessing = manifest.preprocessing
        self._live = live
        self.resets = 0
        self.stepping = 0.0

    def __call__(self, frame: Frame) -> Result | None:
        """The result for a frame.

        Raises:
            EdgecrnnError: the model answered with something that is no number.
        """
        prepared = prepare(frame.image, self._preprocessing)
        self.stepping = time.monotonic()
        answer, _ = self._engine.step(prepared, {})
        self.stepping = 0.0
        if not np.isfinite(answer).all():
            raise EdgecrnnError(
                f"model: expected an answer of numbers for frame {frame.index}, got others; "
                "try another --variant"
            )
        told = self._told(self._engine.parts(answer), self._labels)
        if self._generates and (asked := asked_for(prepared, len(self._labels))) >= 0:
            # Not what it sees, but what it was to make.
            told = told._replace(label=self._labels[asked])
        age = time.monotonic() - frame.captured
        moment = time.time() - age if self._live else frame.time
        return Result(
            moment, frame.index, told.label, told.score, told.scores, 1000.0 * age, told=told
        )


def reader_of(
    engine: Engine,
    manifest: Manifest,
    decision: DecisionSettings,
    live: bool,
    source_rate: float | None = None,
) -> Classifier | Answerer:
    """What reads the frames of a stream: by labels and a rule, or each for itself."""
    if manifest.answer != LABELS:
        return Answerer(engine, manifest, live)
    return Classifier(engine, manifest, decision, live, source_rate)
