"""The stream as the live loop decides it: smoothed, held on to, unknown where it is not sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings, DecisionState, decide
from edgecrnn.runtime.settings import check
from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.metrics import Bools, Ints

Scores = npt.NDArray[np.float32]
Interval = tuple[float | None, float | None]
_POINTS = 60  # of a curve


@dataclass(frozen=True)
class Decided:
    """The label that is held at each frame, and its smoothed score, whatever the threshold."""

    labels: Ints  # [frames]
    scores: Scores  # [frames]

    def said(self, threshold: float) -> Ints:
        """The answers, int64 [frames]; -1 is unknown, below `threshold`."""
        return np.where(self.scores >= threshold, self.labels, -1)


@dataclass(frozen=True)
class DecidedScores:
    """What a person at the live page sees, over the counted frames. None where it is 0/0.

    Pictures do not follow each other: delays and flickers are None, and none is never followed.
    """

    accuracy: float | None  # share of frames answered rightly; unknown is not right
    accuracy_interval: Interval  # 95 %, bootstrap by clip
    precision: float | None  # share right of those that are answered
    precision_interval: Interval  # 95 %, bootstrap by clip
    coverage: float | None  # share that is answered
    unknown: float | None  # share that is not
    claimed: float | None  # mean smoothed score of the answers
    delay_median: int | None  # frames until half of the changes were followed; None: never
    delay_p90: int | None
    never_followed: int
    flickers_per_1000: float | None  # to unknown and back counts too

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class CurvePoint:
    """What a threshold would do; precision is None where nothing is answered."""

    threshold: float
    coverage: float
    precision: float | None

    def __post_init__(self) -> None:
        check(self)


def replay(scores: Scores, settings: DecisionSettings) -> Decided:
    """The decisions along `scores` [frames, classes] from a fresh start, by the live rule."""
    open_rule = DecisionSettings(settings.smoothing, 0.0, settings.hysteresis, 0)
    state = DecisionState()
    labels, held = np.zeros(len(scores), np.int64), np.zeros(len(scores), np.float32)
    for index, row in enumerate(scores.tolist()):
        decision, state = decide(tuple(row), state, open_rule)
        labels[index] = -1 if decision.label is None else decision.label
        held[index] = decision.score
    return Decided(labels, held)


def picture_decisions(scores: Scores) -> Decided:
    """Of pictures, each for itself: `scores` [pictures, classes]."""
    return Decided(scores.argmax(axis=1), scores.max(axis=1))


def decided_scores(
    truth: Ints,
    counted: Bools,
    decided: Decided,
    threshold: float,
    starts: Ints,
    streamed: bool = True,
    seed: int = 0,
) -> DecidedScores:
    """Judge decisions; below `threshold` the answer is unknown.

    Args:
        truth: int64 [frames].
        counted: bool [frames], False in the warm-up after a change of class.
        decided: of `replay`, or of `picture_decisions`.
        threshold: least smoothed score of an answer.
        starts: int64 [clips], the first frame of each clip; what the intervals draw.
        streamed: the frames follow each other; False for pictures.
        seed: of the intervals.
    """
    said = decided.said(threshold)
    answered, right = counted & (said >= 0), counted & (said == truth)
    of_clips = metrics.per_clip(right, starts)
    delays = metrics.follow_delays(truth, said) if streamed else np.zeros(0)
    flickers = metrics.flickers_per_1000(truth, said, counted) if streamed else np.nan
    coverage = _share(answered, counted)
    return DecidedScores(
        accuracy=_share(right, counted),
        accuracy_interval=_interval(of_clips, metrics.per_clip(counted, starts), seed),
        precision=_share(right, answered),
        precision_interval=_interval(of_clips, metrics.per_clip(answered, starts), seed),
        coverage=coverage,
        unknown=None if coverage is None else 1.0 - coverage,
        claimed=float(decided.scores[answered].mean()) if answered.any() else None,
        delay_median=metrics.delay_quantile(delays, 0.5),
        delay_p90=metrics.delay_quantile(delays, 0.9),
        never_followed=int(np.isinf(delays).sum()),
        flickers_per_1000=_known(flickers),
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


def point_at(curve: Sequence[CurvePoint], coverage: float) -> CurvePoint | None:
    """The highest threshold of `curve` that still answers at least that share; None: no curve."""
    enough = [one for one in curve if one.coverage >= coverage - 1e-9]
    return enough[-1] if enough else None


def point_from(curve: Sequence[CurvePoint], threshold: float) -> CurvePoint | None:
    """The point of `curve` that stands nearest to `threshold`; None: no curve."""
    return min(curve, key=lambda one: abs(one.threshold - threshold), default=None)


def joined_clips(scores: Sequence[Scores], warmup: int) -> Scores:
    """One row a clip: the mean of its scores after the warm-up, float32 [clips, classes]."""
    rows = [metrics.clip_scores(one, warmup) for one in scores]
    return np.stack(rows).astype(np.float32)


def _share(part: Bools, whole: Bools) -> float | None:
    return float(part.sum() / whole.sum()) if whole.any() else None


def _interval(right: Ints, counted: Ints, seed: int) -> Interval:
    low, high = metrics.share_interval(right, counted, seed)
    return (_known(low), _known(high))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
