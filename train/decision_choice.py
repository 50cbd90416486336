"""Chooses the decision's smoothing and threshold on the validation streams, never on test data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings, DecisionState, decide

SMOOTHINGS = (0.0, 0.3, 0.5, 0.7, 0.8)
# Share of the right validation frames that the threshold may turn into "unknown".
_GIVEN_UP = 0.02


def choose_decision(
    scores: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    counted: npt.NDArray[np.bool_],
    warmup: int,
) -> DecisionSettings:
    """Settings for the live loop.

    Smoothing: the least one with the most right frames. Threshold: what 98 % of the right frames
    still reach, so that hardly any right answer becomes "unknown".

    Args:
        scores: float32 [frames, classes] of a validation stream, or of pictures.
        labels: int64 [frames], the truth.
        counted: bool [frames], False in the warm-up after a change of class.
        warmup: frames after a reset that are answered with unknown; 0 for pictures, which are
            not smoothed either.
    """
    best = (-1.0, 0.0, 0.0)
    for smoothing in SMOOTHINGS if warmup else SMOOTHINGS[:1]:
        decided, score = _replay(scores, DecisionSettings(smoothing=smoothing))
        right = (decided == labels) & counted
        accuracy = float(right.sum() / max(1, counted.sum()))
        threshold = float(np.quantile(score[right], _GIVEN_UP)) if right.any() else 0.0
        if accuracy > best[0]:
            best = (accuracy, smoothing, threshold)
    _, smoothing, threshold = best
    return DecisionSettings(
        smoothing=smoothing, threshold=round(min(threshold, 1.0), 3), warmup=warmup
    )


def _replay(
    scores: npt.NDArray[np.float32], settings: DecisionSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The label and its smoothed score at each frame, by the live loop's own rule."""
    state = DecisionState()
    labels, winning = np.full(len(scores), -1, np.int64), np.zeros(len(scores), np.float32)
    for index, row in enumerate(scores):
        decision, state = decide(row, state, settings)
        labels[index] = -1 if decision.label is None else decision.label
        winning[index] = decision.score
    return labels, winning
