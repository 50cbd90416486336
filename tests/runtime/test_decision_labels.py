"""Several labels may be true: each has its threshold, and holds on to what it was."""

from __future__ import annotations

import pytest

from edgecrnn.runtime.classifier import named
from edgecrnn.runtime.decision import DecisionSettings, DecisionState, decide
from edgecrnn.runtime.errors import EdgecrnnError

LABELS = ("indoor", "wagon")


def shown(rows: list[tuple[float, float]], settings: DecisionSettings) -> list[str]:
    state, said = DecisionState(), []
    for row in rows:
        decision, state = decide(row, state, settings)
        said.append(named(decision, LABELS))
    return said


def test_each_label_has_its_own_threshold() -> None:
    rows = [(0.9, 0.9), (0.9, 0.3), (0.5, 0.5), (0.1, 0.1)]
    rule = DecisionSettings(thresholds=(0.8, 0.4))
    assert shown(rows, rule) == ["indoor+wagon", "indoor", "wagon", "none"]


def test_a_label_holds_on() -> None:
    rule = DecisionSettings(thresholds=(0.5, 0.5), hysteresis=0.2)
    rows = [(0.55, 0.0), (0.65, 0.0), (0.45, 0.0), (0.35, 0.0), (0.55, 0.0)]
    assert shown(rows, rule) == ["none", "indoor", "indoor", "none", "none"]


def test_scores_are_smoothed_and_the_start_is_unknown() -> None:
    rule = DecisionSettings(thresholds=(0.5, 0.5), smoothing=0.5, warmup=1)
    assert shown([(0.0, 1.0), (0.9, 1.0), (0.9, 1.0)], rule) == ["unknown", "wagon", "indoor+wagon"]


def test_the_score_is_that_of_the_least_sure_label() -> None:
    rule = DecisionSettings(thresholds=(0.5, 0.5))
    decision, _ = decide((0.9, 0.3), DecisionState(), rule)
    assert decision.score == pytest.approx(0.7)


def test_thresholds_outside_of_a_score_are_refused() -> None:
    with pytest.raises(EdgecrnnError, match="thresholds: expected 0 to 1 each"):
        DecisionSettings(thresholds=(0.5, 1.5))
