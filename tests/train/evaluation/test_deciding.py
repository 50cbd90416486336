"""The stream as it is decided live, against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.evaluation.deciding import (
    Decided,
    decided_scores,
    picture_decisions,
    point_at,
    point_from,
    precision_coverage,
    replay,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1])
ALL = np.ones(8, bool)
STARTS = np.array([0, 4])  # two clips of four frames


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
    found = decided_scores(TRUTH, ALL, decided, 0.5, STARTS)
    # Answered: frames 0, 2, 3, 5, 6; right of those: all but 2.
    assert (found.accuracy, found.coverage, found.precision) == (4 / 8, 5 / 8, 4 / 5)
    assert found.unknown == 3 / 8
    # 0.9, 0.8, 0.9, 0.9 and 0.9.
    assert found.claimed == pytest.approx(0.88)
    # Two clips, drawn twice with replacement: first twice, one of each, second twice. Of all
    # frames 2 of 4 are right in both; of the answers 2 of 3 in the first, 2 of 2 in the second.
    assert found.accuracy_interval == (0.5, 0.5)
    assert found.precision_interval == (pytest.approx(2 / 3), 1.0)
    assert (found.delay_median, found.never_followed) == (1, 0)
    # Of six pairs within a class these change: 0-1, 1-2, 2-3, 4-5, 6-7.
    assert found.flickers_per_1000 == pytest.approx(1000 * 5 / 6)


def test_frames_of_the_warm_up_do_not_count() -> None:
    decided = Decided(np.zeros(8, np.int64), np.ones(8, np.float32))
    counted = np.array([0, 0, 1, 1, 0, 0, 1, 1], bool)
    found = decided_scores(TRUTH, counted, decided, 0.0, STARTS)
    assert (found.accuracy, found.coverage, found.delay_median) == (0.5, 1.0, None)
    assert found.never_followed == 1


def test_nothing_counted_is_nothing_said() -> None:
    found = decided_scores(TRUTH, ~ALL, Decided(TRUTH, np.ones(8, np.float32)), 0.5, STARTS)
    assert (found.accuracy, found.coverage, found.precision) == (None, None, None)
    assert (found.unknown, found.claimed) == (None, None)
    assert found.accuracy_interval == found.precision_interval == (None, None)
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


def test_the_curve_by_hand() -> None:
    """Four frames: right at 0.9 and 0.6, wrong at 0.8 and 0.5."""
    decided = Decided(np.array([0, 1, 0, 1]), np.array([0.9, 0.8, 0.6, 0.5], np.float32))
    points = precision_coverage(np.zeros(4, np.int64), np.ones(4, bool), decided)
    by_coverage = {point.coverage: point.precision for point in points}
    assert by_coverage == {1.0: 1 / 2, 3 / 4: 2 / 3, 2 / 4: 1 / 2, 1 / 4: 1.0}
    for point in points:
        answered = decided.scores >= point.threshold
        assert point.coverage == answered.mean()
    # The highest threshold that still answers so much.
    for share, threshold in ((1.0, 0.5), (0.75, 0.6), (0.6, 0.6), (0.25, 0.9)):
        found = point_at(points, share)
        assert found is not None and found.coverage >= share
        assert found.threshold == pytest.approx(threshold, abs=0.02)
    near = point_from(points, 0.79)
    assert near is not None and near.threshold == pytest.approx(0.79, abs=0.02)
    assert point_at((), 0.5) is None and point_from((), 0.5) is None


def test_pictures_do_not_follow_each_other() -> None:
    """No delay and no flicker is made up of pictures in a row."""
    decided = picture_decisions(rows(0.9, 0.2, 0.9, 0.9, 0.4, 0.1, 0.9, 0.1))
    assert decided.labels.tolist() == [0, 1, 0, 0, 1, 1, 0, 1]
    found = decided_scores(TRUTH, ALL, decided, 0.7, np.arange(8), streamed=False)
    # Unknown is the fifth alone (0.6); wrong are the second and the seventh.
    assert (found.accuracy, found.coverage, found.precision) == (5 / 8, 7 / 8, 5 / 7)
    assert (found.delay_median, found.delay_p90, found.never_followed) == (None, None, 0)
    assert found.flickers_per_1000 is None
