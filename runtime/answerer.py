"""From a frame to an answer that is no label: prepare, step, tell."""

from __future__ import annotations

import time

from edgecrnn.runtime.answers import LABELS
from edgecrnn.runtime.classifier import Classifier, Result
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.making import Teller
from edgecrnn.runtime.manifest import Manifest
from edgecrnn.runtime.preprocess import prepare


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
        self._tell = Teller(engine, manifest)
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
        told = self._tell(prepared)
        self.stepping = 0.0
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
