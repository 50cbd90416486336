"""Smoothing, hysteresis and threshold come from validation, by the live loop's own rule."""

from __future__ import annotations

import numpy as np
import pytest

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.decision_choice import Choice, choose_decision
from edgecrnn.train.evaluation.deciding import decided_scores, replay

LABELS = np.repeat([0, 1, 0, 1], 50)
ALL = np.ones(len(LABELS), bool)
STARTS = np.arange(0, len(LABELS), 25)  # eight clips, two of a class in a row
AFTER = np.arange(len(LABELS)) % 50 >= 8


def scores(of_truth: np.ndarray) -> np.ndarray:
    both = np.stack([1 - of_truth, of_truth], axis=1)
    return np.where(LABELS[:, None] == 1, both, both[:, ::-1]).astype(np.float32)


def choose(of_truth: np.ndarray) -> Choice:
    return choose_decision(scores(of_truth), LABELS, AFTER, STARTS, warmup=8)


def test_sure_scores_are_not_smoothed() -> None:
    choice = choose_decision(scores(np.full(200, 0.8)), LABELS, ALL, STARTS, warmup=4)
    assert (choice.settings.smoothing, choice.settings.hysteresis) == (0.0, 0.0)
    assert choice.settings.warmup == 4
    # What all right frames reach, rounded down: they still reach it.
    assert choice.settings.threshold == pytest.approx(0.8)
    assert choice.promise.decided.accuracy == 1.0
    assert choice.promise.clips == 8
    # Eight of eight: 0.025 ** (1 / 8).
    assert choice.promise.decided.accuracy_interval == (pytest.approx(0.6306, abs=5e-5), 1.0)


def test_a_wrong_frame_now_and_then_is_smoothed_away() -> None:
    # Wrong by 0.6 to 0.4, which no hysteresis of 0.2 lets through, and right by 0.8 to 0.2.
    choice = choose(np.where(np.arange(200) % 5 != 0, 0.8, 0.4))
    assert choice.settings.smoothing > 0.0 or choice.settings.hysteresis > 0.0
    assert choice.promise.decided.flickers_per_1000 == 0.0


def test_the_promise_is_what_the_rule_does() -> None:
    """Smoothing, hysteresis and threshold together, from what stands in the run."""
    random = np.random.default_rng(0)
    given = scores(random.uniform(0.3, 1.0, 200))
    choice = choose_decision(given, LABELS, AFTER, STARTS, warmup=8)
    rule = choice.settings
    decided = replay(given, DecisionSettings(rule.smoothing, hysteresis=rule.hysteresis))
    again = decided_scores(LABELS, AFTER, decided, rule.threshold, STARTS)
    assert choice.promise.decided == again
    assert choice.promise.curve[0].coverage == 1.0
    # 98 % of what it has right still reach the threshold.
    right = decided.scores[(decided.labels == LABELS) & AFTER]
    assert 0.98 <= np.mean(right >= rule.threshold) < 1.0


def test_pictures_are_not_smoothed() -> None:
    of_truth = np.where(np.arange(200) % 5 != 0, 0.8, 0.4)
    choice = choose_decision(scores(of_truth), LABELS, ALL, np.arange(200), 0, streamed=False)
    assert (choice.settings.smoothing, choice.settings.hysteresis) == (0.0, 0.0)
    assert choice.promise.decided.flickers_per_1000 is None
    # 160 of 200 answered, all of them right: 0.6 is below the threshold.
    found = choice.promise.decided
    assert (found.accuracy, found.precision, found.unknown) == (0.8, 1.0, pytest.approx(0.2))


def test_a_calmer_decision_may_cost_nothing() -> None:
    """Scores that waver around one half flicker; holding on is as right and is calm."""
    wavering = np.tile([0.58, 0.42], 100)
    choice = choose(np.where(np.arange(200) % 50 < 10, 0.9, wavering))
    assert choice.settings.hysteresis > 0.0 or choice.settings.smoothing > 0.0


def test_a_calmer_decision_may_not_come_much_later() -> None:
    """Right at once and for sure, two flickers: smoothing them away would take frames."""
    right = np.ones(200, bool)
    right[[30, 80]] = False
    choice = choose(np.where(right, 0.99, 0.45))
    assert choice.settings.smoothing <= 0.7
    quickest = replay(scores(np.where(right, 0.99, 0.45)), DecisionSettings())
    assert (quickest.labels[[50, 100, 150]] == LABELS[[50, 100, 150]]).all()
    assert (choice.promise.decided.delay_median or 0) <= 2


def test_a_clearly_worse_rule_is_not_taken_for_being_calm() -> None:
    """Short turns, each for six frames: much smoothing would sleep through them, calmly."""
    truth = np.tile(np.repeat([0, 1], 6), 20)
    of_truth = np.where(np.arange(len(truth)) % 6 == 3, 0.45, 0.95)
    both = np.stack([1 - of_truth, of_truth], axis=1)
    given = np.where(truth[:, None] == 1, both, both[:, ::-1]).astype(np.float32)
    counted = np.arange(len(truth)) % 6 >= 2
    choice = choose_decision(given, truth, counted, np.arange(0, len(truth), 6), warmup=2)
    assert choice.settings.smoothing < 0.8
    assert (choice.promise.decided.accuracy or 0.0) > 0.95


def test_nothing_right_still_gives_a_rule() -> None:
    never = np.column_stack([scores(np.full(200, 0.8)), np.zeros(200, np.float32)])
    choice = choose_decision(never, np.full(200, 2), AFTER, STARTS, warmup=8)
    assert choice.settings.threshold == 0.0
    assert choice.promise.decided.accuracy == 0.0
    one = choose_decision(scores(np.full(200, 0.8)), LABELS, ~ALL, STARTS, warmup=8)
    assert one.promise.decided.accuracy is None and one.promise.curve == ()
