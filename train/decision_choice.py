"""Chooses the live decision's rule on the validation clips, never on test data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.deciding import (
    Decided,
    DecidedScores,
    decided_scores,
    picture_decisions,
    precision_coverage,
    replay,
)
from edgecrnn.train.evaluation.promise import Promise

SMOOTHINGS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9)
HYSTERESES = (0.0, 0.1, 0.2, 0.3)
# Share of the right validation frames that the threshold may turn into "unknown".
_GIVEN_UP = 0.02
# Frames that a calmer decision may come later.
_LATER = 2

Scores = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """The rule, and what it did where it was chosen."""

    settings: DecisionSettings
    promise: Promise


@dataclass(frozen=True)
class _Candidate:
    smoothing: float
    hysteresis: float
    threshold: float
    decided: Decided
    scores: DecidedScores
    right: Ints  # [clips], frames answered rightly

    @property
    def delay(self) -> float:
        median = self.scores.delay_median
        return math.inf if median is None else median


def choose_decision(
    scores: Scores,
    labels: Ints,
    counted: Bools,
    starts: Ints,
    warmup: int,
    streamed: bool = True,
) -> Choice:
    """Settings for the live loop.

    Each pair of smoothing and hysteresis comes with its threshold: what 98 % of the frames that it
    has right still reach. Of all whose accuracy, as decided, is within one standard error of the
    best (the rule of Breiman et al., 1984; clips in pairs), and that follow a change at most two
    frames later than the quickest of them (median), the one with the fewest flickers is taken; the
    least of equals.

    Args:
        scores: float32 [frames, classes] of a validation stream, or of pictures.
        labels: int64 [frames], the truth.
        counted: bool [frames], False in the warm-up after a change of class.
        starts: int64 [clips], the first frame of each clip.
        warmup: frames after a reset that are answered with unknown.
        streamed: the frames follow each other; False for pictures, which are neither smoothed nor
            held on to.
    """
    tried = product(SMOOTHINGS, HYSTERESES) if streamed else [(0.0, 0.0)]
    candidates = [
        _candidate(scores, labels, counted, starts, smoothing, hysteresis, streamed)
        for smoothing, hysteresis in tried
    ]
    frames = metrics.per_clip(counted, starts)
    best = max(candidates, key=lambda one: one.scores.accuracy or 0.0)
    good = [one for one in candidates if _as_good(one, best, frames)]
    quickest = min(one.delay for one in good)
    calm = min(
        (one for one in good if one.delay <= quickest + _LATER),
        key=lambda one: (one.scores.flickers_per_1000 or 0.0, one.smoothing, one.hysteresis),
    )
    settings = DecisionSettings(
        smoothing=calm.smoothing,
        threshold=calm.threshold,
        hysteresis=calm.hysteresis,
        warmup=warmup,
    )
    curve = precision_coverage(labels, counted, calm.decided)
    return Choice(settings, Promise(len(starts), calm.scores, curve))


def _candidate(
    scores: Scores,
    labels: Ints,
    counted: Bools,
    starts: Ints,
    smoothing: float,
    hysteresis: float,
    streamed: bool,
) -> _Candidate:
    decided = (
        replay(scores, DecisionSettings(smoothing, hysteresis=hysteresis))
        if streamed
        else picture_decisions(scores)
    )
    reached = decided.scores[(decided.labels == labels) & counted]
    threshold = float(np.quantile(reached, _GIVEN_UP, method="lower")) if len(reached) else 0.0
    # Rounded down: what stands in the run answers what was judged here.
    threshold = min(math.floor(threshold * 1000) / 1000, 1.0)
    right = (decided.said(threshold) == labels) & counted
    return _Candidate(
        smoothing,
        hysteresis,
        threshold,
        decided,
        decided_scores(labels, counted, decided, threshold, starts, streamed),
        metrics.per_clip(right, starts),
    )


def _as_good(one: _Candidate, best: _Candidate, frames: Ints) -> bool:
    """Whether `one` is behind by no more than the standard error of the difference.

    The error of a ratio of sums over clips, linearised (Cochran, 1977); `frames` int64 [clips] are
    those that count.
    """
    behind = (best.right - one.right).astype(np.float64)
    total, clips = int(frames.sum()), int((frames > 0).sum())
    if not behind.sum() > 0 or clips < 2:
        return behind.sum() <= 0
    share = behind.sum() / total
    spread = float(np.sum((behind - share * frames) ** 2))
    return bool(share <= math.sqrt(spread * clips / (clips - 1)) / total)
