"""From scores to a steady decision: smooth, compare with a threshold, hold on to the last label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.settings import check, setting

UNKNOWN = "unknown"


@dataclass(frozen=True)
class DecisionSettings:
    """One rule, chosen on the validation split and carried by the bundle."""

    smoothing: float = setting(
        0.0, "share of the last smoothed scores kept at each frame", least=0.0, most=0.99
    )
    threshold: float = setting(
        0.0, "least smoothed score of a label; below it the answer is unknown", least=0.0, most=1.0
    )
    hysteresis: float = setting(
        0.0, "how far another label must lead before the decision moves", least=0.0, most=1.0
    )
    warmup: int = setting(
        0, "frames after a reset that are answered with unknown", unit="frames", least=0
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class DecisionState:
    """What the rule remembers between frames; a fresh one after every reset."""

    frames: int = 0
    smoothed: npt.NDArray[np.float32] | None = None
    label: int | None = None


@dataclass(frozen=True)
class Decision:
    """`label` is an index into the labels, or None for unknown; `score` is its smoothed score."""

    label: int | None
    score: float


def decide(
    scores: npt.NDArray[np.float32], state: DecisionState, settings: DecisionSettings
) -> tuple[Decision, DecisionState]:
    """The decision for one frame.

    The smoothed score is s = smoothing * s + (1 - smoothing) * scores. The label moves only when
    another label leads the held one by more than `hysteresis`; it is unknown while warming up or
    while its smoothed score is below `threshold`.

    Args:
        scores: float32 [classes], as softmax gives them.
        state: what the last call returned, or `DecisionState()` after a reset.
        settings: the rule's three numbers and the warm-up.
    """
    if state.smoothed is None:
        smoothed = scores
    else:
        smoothed = settings.smoothing * state.smoothed + (1.0 - settings.smoothing) * scores
    best = int(smoothed.argmax())
    held = best if state.label is None else state.label
    if smoothed[best] > smoothed[held] + settings.hysteresis:
        held = best
    score = float(smoothed[held])
    known = state.frames >= settings.warmup and score >= settings.threshold
    decision = Decision(held if known else None, score)
    return decision, DecisionState(state.frames + 1, smoothed, held)
