"""The stream as it is decided live, against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.evaluation.deciding import (
    Decided,
    decided_scores,
    precision_coverage,
    replay,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1])
ALL = np.ones(8, bool)


def rows(*first: float) -> np.ndarray:
    """Scores of two classes from those of the first."""
    return np.array([[one, 1 - one] for one in first], np.float32)


def test_the_rule_is_that_of_the_live_loop() -> None:
    scores = rows(0.9, 0.9, 0.1, 0.9, 0.2, 0.2)
    assert replay(scores, DecisionSettings()).labels.tolist() == [0, 0, 1, 0, 1, 1]
    calm = replay(scores, DecisionSettings(smoothing=0.5))
    # 0.9, 0.9, 0.5, 0.7, 0.45, 0.325: the single wrong frame is smoothed away.
    assert calm.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert calm.scores.tolist() == pytest.approx([0.9, 0.9, 0.5, 0.7, 0.55, 0.675])
    # Another label has to lead by more than 0.2: 0.55 to 0.45 is not enough.
    held = replay(scores, DecisionSettings(smoothing=0.5, hysteresis=0.2))
    assert held.labels.tolist() == [0, 0, 0, 0, 0, 1]
    # The threshold plays no part here: what is below it is judged by `decided_scores`.
    unsure = replay(scores, DecisionSettings(threshold=0.99, warmup=3))
    assert unsure.labels.tolist() == [0, 0, 1, 0, 1, 1]


def test_unknown_is_not_right_and_not_answered() -> None:
    decided = Decided(
        np.array([0, 0, 1, 0, 0, 1, 1, 1]),
        np.array([0.9, 0.4, 0.8, 0.9, 0.3, 0.9, 0.9, 0.2], np.float32),
    )
    found = decided_scores(TRUTH, ALL, decided, 0.5)
    # Answered: frames 0, 2, 3, 5, 6; right of those: all but 2.
    assert (found.accuracy, found.coverage, found.precision) == (4 / 8, 5 / 8, 4 / 5)
    assert (found.delay_median, found.never_followed) == (1, 0)
    # Of six pairs within a class these change: 0-1, 1-2, 2-3, 4-5, 6-7.
    assert found.flickers_per_1000 == pytest.approx(1000 * 5 / 6)


def test_frames_of_the_warm_up_do_not_count() -> None:
    decided = Decided(np.zeros(8, np.int64), np.ones(8, np.float32))
    counted = np.array([0, 0, 1, 1, 0, 0, 1, 1], bool)
    found = decided_scores(TRUTH, counted, decided, 0.0)
    assert (found.accuracy, found.coverage, found.delay_median) == (0.5, 1.0, None)
    assert found.never_followed == 1


def test_nothing_counted_is_nothing_said() -> None:
    found = decided_scores(TRUTH, ~ALL, Decided(TRUTH, np.ones(8, np.float32)), 0.5)
    assert (found.accuracy, found.coverage, found.precision) == (None, None, None)
    assert precision_coverage(TRUTH, ~ALL, Decided(TRUTH, np.ones(8, np.float32))) == ()


def test_a_higher_threshold_answers_less() -> None:
    sure = np.linspace(0.3, 1.0, 8, dtype=np.float32)
    wrong_where_unsure = np.where(sure < 0.55, 1 - TRUTH, TRUTH)
    points = precision_coverage(TRUTH, ALL, Decided(wrong_where_unsure, sure))
    assert points[0].threshold == 0.0 and points[0].coverage == 1.0
    assert points[0].precision == pytest.approx(5 / 8)
    coverages = [point.coverage for point in points]
    assert coverages == sorted(coverages, reverse=True)
    assert points[-1].precision == 1.0
