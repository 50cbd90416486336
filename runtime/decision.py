"""From scores to a steady decision: smooth, compare with a threshold, hold on to the last label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

UNKNOWN = "unknown"
NONE = "none"  # no label is true, where several may be


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
    thresholds: tuple[float, ...] = setting(
        (), "score from which each label is true, where several may be; empty where one is"
    )

    def __post_init__(self) -> None:
        check(self)
        if not all(0.0 <= each <= 1.0 for each in self.thresholds):
            raise EdgecrnnError(f"thresholds: expected 0 to 1 each, got {self.thresholds}")


class DecisionState(NamedTuple):
    """What the rule remembers between frames; a fresh one after every reset."""

    frames: int = 0
    smoothed: tuple[float, ...] | None = None
    label: int | None = None
    labels: tuple[int, ...] = ()


class Decision(NamedTuple):
    """`label` is an index into the labels, or None for unknown; `score` is its smoothed score.

    Where several labels may be true `labels` are those that are, None for unknown; `label` is
    None and `score` that of the least sure of all labels.
    """

    label: int | None
    score: float
    labels: tuple[int, ...] | None = None


def decide(
    scores: tuple[float, ...], state: DecisionState, settings: DecisionSettings
) -> tuple[Decision, DecisionState]:
    """The decision for one frame.

    The smoothed score is s = smoothing * s + (1 - smoothing) * scores. The label moves only when
    another label leads the held one by more than `hysteresis`; it is unknown while warming up or
    while its smoothed score is below `threshold`.

    Where several labels may be true each is decided for itself: one that is not becomes so at its
    threshold and half of `hysteresis` more, one that is stays so until half of it less.

    Args:
        scores: one a class, as softmax gives them, or sigmoids. Plain numbers: a model has few
            classes, and each call of NumPy costs a microsecond or more.
        state: what the last call returned, or `DecisionState()` after a reset.
        settings: the rule's three numbers and the warm-up.
    """
    smoothed = scores
    if state.smoothed is not None:
        keep, new = settings.smoothing, 1.0 - settings.smoothing
        pairs = zip(state.smoothed, scores, strict=True)
        smoothed = tuple([keep * before + new * score for before, score in pairs])
    if settings.thresholds:
        return _each(smoothed, state, settings)
    best = smoothed.index(max(smoothed))
    held = best if state.label is None else state.label
    if smoothed[best] > smoothed[held] + settings.hysteresis:
        held = best
    score = smoothed[held]
    known = state.frames >= settings.warmup and score >= settings.threshold
    decision = Decision(held if known else None, score)
    return decision, DecisionState(state.frames + 1, smoothed, held)


def _each(
    smoothed: tuple[float, ...], state: DecisionState, settings: DecisionSettings
) -> tuple[Decision, DecisionState]:
    """The labels that are true."""
    half = settings.hysteresis / 2
    bounds = zip(smoothed, settings.thresholds, strict=True)
    true = tuple(
        index
        for index, (score, bound) in enumerate(bounds)
        if score >= bound + (-half if index in state.labels else half)
    )
    sure = min(score if i in true else 1 - score for i, score in enumerate(smoothed))
    known = state.frames >= settings.warmup
    decision = Decision(None, sure, true if known else None)
    return decision, DecisionState(state.frames + 1, smoothed, None, true)
