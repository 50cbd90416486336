"""Scores of labels that may be true together, against cases worked out by hand."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.train.data.store import FrameStore
from edgecrnn.train.evaluation.multilabel import (
    SetPredictor,
    average_precision,
    best_thresholds,
    evaluate_labels,
    label_scores,
)

LABELS = ("dark", "wet")


@pytest.mark.parametrize(
    ("truth", "scores", "wanted"),
    [
        ([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.1], 1.0),
        ([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], (1 + 2 / 3) / 2),
        ([0, 0, 1], [0.9, 0.8, 0.7], 1 / 3),
        # Equal scores: both are found together, at a precision of one half.
        ([1, 0], [0.5, 0.5], 0.5),
        ([0, 1], [0.5, 0.5], 0.5),
    ],
)
def test_average_precision(truth: list[int], scores: list[float], wanted: float) -> None:
    assert average_precision(np.array(truth, bool), np.array(scores)) == pytest.approx(wanted)


def test_average_precision_of_a_label_that_is_never_true() -> None:
    assert np.isnan(average_precision(np.zeros(3, bool), np.arange(3.0)))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=30))
def test_the_order_of_the_clips_plays_no_part(clips: list[tuple[bool, int]]) -> None:
    truth = np.array([true for true, _ in clips])
    scores = np.array([float(score) for _, score in clips])
    turned = average_precision(truth[::-1], scores[::-1])
    np.testing.assert_equal(turned, average_precision(truth, scores))


def test_thresholds_stand_between_true_and_false() -> None:
    truth = np.array([[1, 1], [1, 1], [0, 1], [0, 1]], bool)
    scores = np.array([[0.9, 0.1], [0.7, 0.2], [0.4, 0.3], [0.1, 0.4]], np.float32)
    # The second label is always true: no threshold can be told from it.
    assert best_thresholds(truth, scores) == (pytest.approx(0.55), 0.5)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=30))
def test_no_threshold_has_a_better_f1(clips: list[tuple[bool, int]]) -> None:
    truth = np.array([true for true, _ in clips])
    scores = np.array([score / 8 for _, score in clips], np.float32)
    (chosen,) = best_thresholds(truth[:, None], scores[:, None])

    def f1(threshold: float) -> float:
        called = scores >= threshold
        return 2 * float((called & truth).sum()) / float(called.sum() + truth.sum())

    if truth.any() and not truth.all():
        assert f1(chosen) == pytest.approx(max(map(f1, scores.tolist())))


def test_thresholds_of_a_long_stream_take_little_memory() -> None:
    random = np.random.default_rng(0)
    truth, scores = random.random((20_000, 1)) < 0.3, random.random((20_000, 1), np.float32)
    tracemalloc.start()
    best_thresholds(truth, scores)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10e6


def test_each_label_by_hand() -> None:
    truth = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], bool)
    scores = np.array([[0.9, 0.6], [0.4, 0.8], [0.6, 0.7], [0.1, 0.2]])
    found = label_scores(truth, scores, LABELS, (0.5, 0.65))
    dark, wet = found.labels
    assert (dark.precision, dark.recall, dark.f1, dark.support) == (0.5, 0.5, 0.5, 2)
    assert (wet.precision, wet.recall, wet.f1) == (1.0, 1.0, 1.0)
    assert dark.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert found.mean_average_precision == pytest.approx((5 / 6 + 1) / 2)
    assert found.hamming == 6 / 8
    low, high = found.interval
    assert low is not None and high is not None and low <= 11 / 12 <= high


class Bright:
    """A label for each channel, its score the channel's brightness."""

    labels = LABELS

    def scores(self, frames: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        return frames[:, 0, 0, :2].astype(np.float32) / 255, state


def pictures(*pixels: tuple[int, int], truth: list[tuple[int, int]]) -> FrameStore:
    frames = np.array([[*each, 0] for each in pixels], np.uint8).reshape(-1, 1, 1, 3)
    targets = np.array(truth, np.float32)
    labels = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
    starts = np.arange(len(frames) + 1, dtype=np.int64)
    return FrameStore(frames, starts, labels, tuple(map(str, starts[:-1])), targets)


def test_an_answer_is_a_whole_set() -> None:
    store = pictures(
        (200, 20), (200, 200), (20, 200), (20, 20), (200, 200),
        truth=[(1, 0), (1, 1), (0, 1), (0, 0), (1, 0)],
    )  # fmt: skip
    result, clips = evaluate_labels(Bright(), store, LABELS, "pictures", 0, (0.5, 0.5))
    assert result.labels == ("none", "wet", "dark", "dark+wet", "another set")
    assert result.clip.accuracy == 0.8
    assert clips.labels.tolist() == [2, 3, 1, 0, 2]
    assert result.multilabel is not None and result.multilabel.hamming == 0.9
    # Higher bounds: nothing is called true any more.
    strict, _ = evaluate_labels(Bright(), store, LABELS, "pictures", 0, (0.9, 0.9))
    assert strict.clip.accuracy == 0.2


@given(
    st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3),
    st.lists(st.floats(0.05, 0.95), min_size=3, max_size=3),
)
def test_the_set_is_that_of_the_labels_over_their_thresholds(
    scores: list[float], thresholds: list[float]
) -> None:
    class Fixed:
        labels = ("a", "b", "c")

        def scores(self, frames: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
            return np.array([scores], np.float32), state

    if any(abs(score - bound) < 1e-3 for score, bound in zip(scores, thresholds, strict=True)):
        return
    wanted = tuple(i for i in range(3) if scores[i] >= thresholds[i])
    sets = ((), (0,), (0, 1), (1, 2))
    asked = SetPredictor(Fixed(), sets, ("", "a", "ab", "bc"), tuple(thresholds))
    answer = int(asked.scores(np.zeros((1, 1, 1, 3), np.uint8), None)[0][0].argmax())
    assert answer == (sets.index(wanted) if wanted in sets else len(sets))
