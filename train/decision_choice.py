"""Chooses the live decision's rule on the validation streams, never on test data."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.evaluation.deciding import DecidedScores, decided_scores, replay

SMOOTHINGS = (0.0, 0.3, 0.5, 0.7, 0.8)
HYSTERESES = (0.0, 0.1, 0.2)
# Share of the right validation frames that the threshold may turn into "unknown".
_GIVEN_UP = 0.02
# Accuracy that a calmer decision may cost, and frames that it may come later.
_NOISE, _LATER = 0.005, 2


@dataclass(frozen=True)
class _Candidate:
    smoothing: float
    hysteresis: float
    scores: DecidedScores

    @property
    def accuracy(self) -> float:
        return self.scores.accuracy or 0.0

    @property
    def delay(self) -> float:
        median = self.scores.delay_median
        return float("inf") if median is None else median


def choose_decision(
    scores: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    counted: npt.NDArray[np.bool_],
    warmup: int,
) -> DecisionSettings:
    """Settings for the live loop.

    Smoothing and hysteresis: of all that come within half a point of the best accuracy, and follow
    a change at most two frames later than the quickest of them (median), those with the fewest
    flickers; the least of equals. Threshold: what 98 % of the right frames still reach, so that
    hardly any right answer becomes "unknown".

    Args:
        scores: float32 [frames, classes] of a validation stream, or of pictures.
        labels: int64 [frames], the truth.
        counted: bool [frames], False in the warm-up after a change of class.
        warmup: frames after a reset that are answered with unknown; 0 for pictures, which are
            neither smoothed nor held on to.
    """
    tried = product(SMOOTHINGS, HYSTERESES) if warmup else [(0.0, 0.0)]
    candidates = [
        _Candidate(smoothing, hysteresis, _judged(scores, labels, counted, smoothing, hysteresis))
        for smoothing, hysteresis in tried
    ]
    best = max(one.accuracy for one in candidates)
    good = [one for one in candidates if one.accuracy >= best - _NOISE]
    quickest = min(one.delay for one in good)
    calm = min(
        (one for one in good if one.delay <= quickest + _LATER),
        key=lambda one: (one.scores.flickers_per_1000 or 0.0, one.smoothing, one.hysteresis),
    )
    decided = replay(scores, DecisionSettings(calm.smoothing, hysteresis=calm.hysteresis))
    right = decided.scores[(decided.labels == labels) & counted]
    threshold = float(np.quantile(right, _GIVEN_UP)) if len(right) else 0.0
    return DecisionSettings(
        smoothing=calm.smoothing,
        threshold=round(min(threshold, 1.0), 3),
        hysteresis=calm.hysteresis,
        warmup=warmup,
    )


def _judged(
    scores: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    counted: npt.NDArray[np.bool_],
    smoothing: float,
    hysteresis: float,
) -> DecidedScores:
    decided = replay(scores, DecisionSettings(smoothing, hysteresis=hysteresis))
    return decided_scores(labels, counted, decided, 0.0)
