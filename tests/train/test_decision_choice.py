"""Smoothing and threshold come from validation scores, by the live loop's own rule."""

from __future__ import annotations

import numpy as np

from edgecrnn.train.decision_choice import choose_decision

LABELS = np.repeat([0, 1, 0, 1], 50)
ALL = np.ones(len(LABELS), bool)


def scores(right: np.ndarray) -> np.ndarray:
    of_truth = np.where(right, 0.8, 0.4).astype(np.float32)
    both = np.stack([1 - of_truth, of_truth], axis=1)
    return np.where(LABELS[:, None] == 1, both, both[:, ::-1]).astype(np.float32)


def test_sure_scores_are_not_smoothed() -> None:
    chosen = choose_decision(scores(ALL), LABELS, ALL, warmup=4)
    assert chosen.smoothing == 0.0
    assert chosen.warmup == 4
    assert 0.79 < chosen.threshold <= 0.801


def test_a_wrong_frame_now_and_then_is_smoothed_away() -> None:
    right = np.arange(len(LABELS)) % 5 != 0
    after_changes = np.arange(len(LABELS)) % 50 >= 8
    # Wrong by 0.6 to 0.4, which no hysteresis of 0.2 lets through, and right by 0.8 to 0.2.
    chosen = choose_decision(scores(right), LABELS, after_changes, warmup=8)
    assert chosen.smoothing > 0.0 or chosen.hysteresis > 0.0


def test_pictures_are_not_smoothed() -> None:
    right = np.arange(len(LABELS)) % 5 != 0
    assert choose_decision(scores(right), LABELS, ALL, warmup=0).smoothing == 0.0


def test_a_calmer_decision_may_cost_nothing() -> None:
    """Scores that waver around one half flicker; holding on is as right and is calm."""
    wavering = np.tile([0.58, 0.42], len(LABELS) // 2)
    far = np.arange(len(LABELS)) % 50 < 10
    of_truth = np.where(far, 0.9, wavering).astype(np.float32)
    both = np.stack([1 - of_truth, of_truth], axis=1)
    given = np.where(LABELS[:, None] == 1, both, both[:, ::-1]).astype(np.float32)
    chosen = choose_decision(given, LABELS, np.arange(len(LABELS)) % 50 >= 8, warmup=8)
    assert chosen.hysteresis > 0.0 or chosen.smoothing > 0.0


def test_a_calmer_decision_may_not_come_much_later() -> None:
    """Right at once and for sure, one flicker in a clip: smoothing it away would take frames."""
    right = np.ones(len(LABELS), bool)
    right[[30, 80]] = False
    sure = np.where(right, 0.99, 0.45).astype(np.float32)
    both = np.stack([1 - sure, sure], axis=1)
    given = np.where(LABELS[:, None] == 1, both, both[:, ::-1]).astype(np.float32)
    chosen = choose_decision(given, LABELS, np.arange(len(LABELS)) % 50 >= 8, warmup=8)
    assert chosen.smoothing <= 0.7
