"""The stream as the live loop decides it: smoothed, held on to, unknown where it is not sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings, DecisionState, decide
from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.metrics import Bools, Ints

Scores = npt.NDArray[np.float32]
_POINTS = 60  # of a curve


@dataclass(frozen=True)
class Decided:
    """The label that is held at each frame, and its smoothed score, whatever the threshold."""

    labels: Ints  # [frames]
    scores: Scores  # [frames]


@dataclass(frozen=True)
class DecidedScores:
    """What a person at the live page sees, over the counted frames. None where it is 0/0."""

    accuracy: float | None  # share of frames answered rightly; unknown is not right
    precision: float | None  # share right of those that are answered
    coverage: float | None  # share that is answered; the rest is unknown
    delay_median: int | None  # frames until half of the changes were followed; None: never
    delay_p90: int | None
    never_followed: int
    flickers_per_1000: float | None


@dataclass(frozen=True)
class CurvePoint:
    """What a threshold would do; precision is None where nothing is answered."""

    threshold: float
    coverage: float
    precision: float | None


def replay(scores: Scores, settings: DecisionSettings) -> Decided:
    """The decisions along `scores` [frames, classes] from a fresh start, by the live rule."""
    open_rule = DecisionSettings(settings.smoothing, 0.0, settings.hysteresis, 0)
    state = DecisionState()
    labels, held = np.zeros(len(scores), np.int64), np.zeros(len(scores), np.float32)
    for index, row in enumerate(scores):
        decision, state = decide(row, state, open_rule)
        labels[index] = -1 if decision.label is None else decision.label
        held[index] = decision.score
    return Decided(labels, held)


def decided_scores(
    truth: Ints, counted: Bools, decided: Decided, threshold: float
) -> DecidedScores:
    """Judge decisions; below `threshold` the answer is unknown.

    Args:
        truth: int64 [frames].
        counted: bool [frames], False in the warm-up after a change of class.
        decided: of `replay`.
        threshold: least smoothed score of an answer.
    """
    answered = decided.scores >= threshold
    said = np.where(answered, decided.labels, -1)
    delays = metrics.follow_delays(truth, said)
    right = counted & (said == truth)
    return DecidedScores(
        accuracy=_share(right, counted),
        precision=_share(right, counted & answered),
        coverage=_share(counted & answered, counted),
        delay_median=metrics.delay_quantile(delays, 0.5),
        delay_p90=metrics.delay_quantile(delays, 0.9),
        never_followed=int(np.isinf(delays).sum()),
        flickers_per_1000=_known(metrics.flickers_per_1000(truth, said, counted)),
    )


def precision_coverage(truth: Ints, counted: Bools, decided: Decided) -> tuple[CurvePoint, ...]:
    """What each threshold would do, from answering everything to answering hardly anything.

    The thresholds stand where the coverage falls by an equal part each, as in selective
    classification (El-Yaniv and Wiener, 2010).
    """
    scores, right = decided.scores[counted], (decided.labels == truth)[counted]
    if not len(scores):
        return ()
    shares = np.linspace(0.0, 1.0, _POINTS, endpoint=False)
    thresholds = [0.0, *np.unique(np.quantile(scores, shares)).tolist()]
    points = []
    for threshold in thresholds:
        answered = scores >= threshold
        points.append(
            CurvePoint(float(threshold), float(answered.mean()), _share(right & answered, answered))
        )
    return tuple(points)


def joined_clips(scores: Sequence[Scores], warmup: int) -> Scores:
    """One row a clip: the mean of its scores after the warm-up, float32 [clips, classes]."""
    rows = [metrics.clip_scores(one, warmup) for one in scores]
    return np.stack(rows).astype(np.float32)


def _share(part: Bools, whole: Bools) -> float | None:
    return float(part.sum() / whole.sum()) if whole.any() else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
