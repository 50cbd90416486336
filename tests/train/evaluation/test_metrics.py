"""Each metric against a case worked out by hand, and its properties on anything."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.streams import counted_frames


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_confusion_matrix_has_the_truth_in_rows() -> None:
    confusion = metrics.confusion_matrix(ints(0, 0, 1, 2), ints(0, 1, 1, 0), 3)
    assert confusion.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_per_class_by_hand() -> None:
    # Class 0: 1 of 2 found, 1 of 2 said right; class 1: 1 of 1, 1 of 2; 2: 0 of 1, never said.
    scores = metrics.per_class(ints(1, 1, 0, 0, 1, 0, 1, 0, 0).reshape(3, 3))
    np.testing.assert_allclose(scores.precision, [0.5, 0.5, math.nan])
    np.testing.assert_allclose(scores.recall, [0.5, 1.0, 0.0])
    np.testing.assert_allclose(scores.f1, [0.5, 2 / 3, 0.0])
    assert scores.support.tolist() == [2, 1, 1]


def test_a_class_that_neither_occurs_nor_is_predicted_has_no_f1() -> None:
    scores = metrics.per_class(ints(3, 0, 0, 0).reshape(2, 2))
    assert math.isnan(scores.f1[1])
    assert math.isnan(scores.recall[1])


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur() -> None:
    confusion = ints(8, 2, 0, 1, 1, 0, 0, 0, 0).reshape(3, 3)
    assert metrics.accuracy(confusion) == pytest.approx(9 / 12)
    assert metrics.balanced_accuracy(confusion) == pytest.approx((0.8 + 0.5) / 2)


def test_nothing_at_all_is_not_a_number() -> None:
    nothing = np.zeros((2, 2), np.int64)
    assert math.isnan(metrics.accuracy(nothing))
    assert math.isnan(metrics.balanced_accuracy(nothing))


def test_warmup_leaves_out_the_first_frames_after_a_change() -> None:
    labels = ints(0, 0, 0, 1, 1, 1, 1, 0)
    assert counted_frames(labels, 2).astype(int).tolist() == [0, 0, 1, 0, 0, 1, 1, 0]
    assert counted_frames(labels, 0).all()


def test_clips_of_one_class_that_follow_each_other_are_no_change() -> None:
    assert counted_frames(ints(1, 1, 1, 1), 1).astype(int).tolist() == [0, 1, 1, 1]


def test_clip_scores_leave_out_the_warmup() -> None:
    scores = np.array([[1.0, 0.0], [0.4, 0.6], [0.2, 0.8]], np.float32)
    np.testing.assert_allclose(metrics.clip_scores(scores, 1), [0.3, 0.7], rtol=1e-6)
    np.testing.assert_allclose(metrics.clip_scores(scores, 3), [0.2, 0.8], rtol=1e-6)


def test_delays_by_hand() -> None:
    truth = ints(0, 0, 1, 1, 1, 2, 2, 0, 0)
    predicted = ints(0, 0, 0, 1, 1, 1, 1, 0, 1)
    assert metrics.follow_delays(truth, predicted).tolist() == [1.0, math.inf, 0.0]


def test_delay_quantiles_count_what_never_followed() -> None:
    delays = np.array([4.0, 0.0, math.inf, 2.0])
    assert metrics.delay_quantile(delays, 0.5) == 2
    assert metrics.delay_quantile(delays, 0.75) == 4
    assert metrics.delay_quantile(delays, 0.9) is None
    assert metrics.delay_quantile(delays[:0], 0.5) is None


def test_flickers_are_counted_where_truth_and_warmup_stand_still() -> None:
    truth = ints(0, 0, 0, 0, 1, 1, 1, 1)
    predicted = ints(1, 0, 1, 0, 0, 1, 1, 0)
    counted = counted_frames(truth, 1)
    # Pairs of counted frames: (1,2) (2,3) and (5,6) (6,7); three of the four change.
    assert metrics.flickers_per_1000(truth, predicted, counted) == pytest.approx(750.0)
    assert math.isnan(metrics.flickers_per_1000(truth[:1], predicted[:1], counted[:1]))


def test_agreement_and_difference() -> None:
    one = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
    other = np.array([[0.7, 0.3], [0.6, 0.4]], np.float32)
    assert metrics.agreement(one, other) == 0.5
    mean, largest = metrics.score_difference(one, other)
    assert mean == pytest.approx(0.2, rel=1e-5)
    assert largest == pytest.approx(0.2, rel=1e-5)


def test_bootstrap_draws_clips_not_frames() -> None:
    right, counted = np.repeat([10, 0], 20), np.full(40, 10)
    low, high = metrics.bootstrap_interval(right, counted, seed=1)
    # The standard error of 20 of 40 clips is 0.079: the interval is about 0.5 +- 0.155.
    assert low == pytest.approx(0.345, abs=0.03)
    assert high == pytest.approx(0.655, abs=0.03)
    assert metrics.bootstrap_interval(right, counted, seed=1) == (low, high)


def test_bootstrap_of_nothing_counted_is_not_a_number() -> None:
    low, high = metrics.bootstrap_interval(np.zeros(3), np.zeros(3), seed=0)
    assert math.isnan(low)
    assert math.isnan(high)


def test_a_share_of_all_or_none_keeps_an_interval() -> None:
    """Exact binomial: 30 of 30 is at least 88.4 %, 0 of 30 at most 11.6 % (two-sided 95 %)."""
    counted = np.full(30, 7)
    assert metrics.share_interval(counted, counted, 0) == (pytest.approx(0.8843, abs=5e-5), 1.0)
    assert metrics.share_interval(0 * counted, counted, 0) == (0.0, pytest.approx(0.1157, abs=5e-5))
    # A clip without counted frames says nothing: two of two, 0.025 ** (1 / 2).
    low, _ = metrics.share_interval(ints(3, 0, 5), ints(3, 0, 5), 0)
    assert low == pytest.approx(0.1581, abs=5e-5)
    mixed = np.repeat([7, 0], 15)
    assert metrics.share_interval(mixed, counted, 1) == metrics.bootstrap_interval(
        mixed, counted, 1
    )
    assert math.isnan(metrics.share_interval(np.zeros(3), np.zeros(3), 0)[0])


def test_the_interval_of_a_difference_as_published() -> None:
    """56 of 70 less 48 of 80: 0.0524 to 0.3339 (Newcombe, 1998, table II, method 10)."""

    def wilson(right: int, count: int) -> tuple[float, float]:
        share, z = right / count, 1.959964
        middle = share + z * z / (2 * count)
        half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
        return ((middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count))

    low, high = metrics.difference_interval(56 / 70, wilson(56, 70), 48 / 80, wilson(48, 80))
    assert (low, high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_frames_are_added_up_by_clip() -> None:
    values = np.array([1, 0, 1, 1, 1, 0], bool)
    assert metrics.per_clip(values, ints(0, 2, 3)).tolist() == [1, 1, 2]


pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(pairs)
def test_confusion_adds_up_and_scores_stay_in_range(answers: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(answers, np.int64).T
    confusion = metrics.confusion_matrix(truth, predicted, 5)
    assert confusion.sum() == len(answers)
    assert metrics.accuracy(confusion) == pytest.approx(np.mean(truth == predicted))
    assert 0.0 <= metrics.balanced_accuracy(confusion) <= 1.0
    scores = metrics.per_class(confusion)
    for values in (scores.precision, scores.recall, scores.f1):
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 1)).all()


@given(pairs, st.integers(0, 6))
def test_a_perfect_decision_follows_at_once_and_never_flickers(
    answers: list[tuple[int, int]], warmup: int
) -> None:
    truth = np.array(answers, np.int64)[:, 0]
    counted = counted_frames(truth, warmup)
    assert not metrics.follow_delays(truth, truth).any()
    flickers = metrics.flickers_per_1000(truth, truth, counted)
    assert math.isnan(flickers) or flickers == 0.0
    share = metrics.share_right(truth, truth, counted)
    assert math.isnan(share) or share == 1.0


@given(pairs, st.integers(0, 6))
def test_counted_frames_agree_with_a_plain_loop(
    answers: list[tuple[int, int]], warmup: int
) -> None:
    truth = np.array(answers, np.int64)[:, 0]
    expected, age = [], 0
    for index, label in enumerate(truth):
        age = 0 if index == 0 or label != truth[index - 1] else age + 1
        expected.append(age >= warmup)
    assert counted_frames(truth, warmup).tolist() == expected


@given(pairs, st.integers(0, 3))
def test_the_interval_holds_the_accuracy(answers: list[tuple[int, int]], seed: int) -> None:
    truth, predicted = np.array(answers, np.int64).T
    right = truth == predicted
    low, high = metrics.bootstrap_interval(right, np.ones(len(right)), seed, resamples=400)
    assert 0.0 <= low <= right.mean() + 1e-9
    assert right.mean() - 1e-9 <= high <= 1.0


def test_a_paired_difference_by_hand() -> None:
    """Two of four frames, three of three clips: a half less one; pairs leave no spread."""
    stream = np.array([2, 0, 0]), np.array([2, 2, 0])
    clips = np.array([1, 1, 1]), np.array([1, 1, 1])
    less, (low, high) = metrics.paired_difference(stream, clips, 0)
    assert less == pytest.approx(-0.5)
    assert (low, high) == (-1.0, 0.0)
    random = np.random.default_rng(0)
    right = random.integers(0, 2, 200)
    counted = np.full(200, 10)
    same = metrics.paired_difference((10 * right, counted), (right, np.ones(200)), 0)
    assert same == (0.0, (0.0, 0.0))
    nothing = metrics.paired_difference((np.zeros(200),) * 2, (right, np.ones(200)), 0)
    assert all(math.isnan(value) for value in (nothing[0], *nothing[1]))
