"""The decision rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.decision import Decision, DecisionSettings, DecisionState, decide
from edgecrnn.runtime.errors import EdgecrnnError

CLASSES = 4
ROWS = st.lists(
    st.lists(st.floats(0.0, 1.0, width=32), min_size=CLASSES, max_size=CLASSES),
    min_size=1,
    max_size=30,
)
SETTINGS = st.builds(
    DecisionSettings,
    smoothing=st.floats(0.0, 0.99),
    threshold=st.floats(0.0, 1.0),
    hysteresis=st.floats(0.0, 1.0),
    warmup=st.integers(0, 10),
)


def replay(rows: list[list[float]], settings: DecisionSettings) -> list[Decision]:
    state, decisions = DecisionState(), []
    for row in rows:
        decision, state = decide(scores(*row), state, settings)
        decisions.append(decision)
    return decisions


def scores(*values: float) -> tuple[float, ...]:
    """As a model gives them: in 32 bits."""
    return tuple(np.array(values, np.float32).tolist())


@given(ROWS, SETTINGS)
def test_unknown_while_warming_up_or_unsure(
    rows: list[list[float]], settings: DecisionSettings
) -> None:
    for place, decision in enumerate(replay(rows, settings)):
        sure = place >= settings.warmup and decision.score >= settings.threshold
        assert (decision.label is not None) == sure


@given(ROWS)
def test_without_settings_it_is_the_best_score(rows: list[list[float]]) -> None:
    previous = None
    for row, decision in zip(rows, replay(rows, DecisionSettings()), strict=True):
        best = max(scores(*row))
        assert decision.label is not None
        assert scores(*row)[decision.label] == best
        # A tie does not move it.
        if previous is not None and scores(*row)[previous] == best:
            assert decision.label == previous
        previous = decision.label


@given(ROWS, st.floats(0.0, 0.99))
def test_smoothed_score_stays_among_the_scores_seen(
    rows: list[list[float]], smoothing: float
) -> None:
    for decision in replay(rows, DecisionSettings(smoothing=smoothing)):
        assert -1e-5 <= decision.score <= max(max(row) for row in rows) + 1e-5


def test_smoothing_is_a_running_mean() -> None:
    settings = DecisionSettings(smoothing=0.5)
    _, state = decide(scores(1, 0), DecisionState(), settings)
    decision, state = decide(scores(0, 1), state, settings)
    assert (decision.label, decision.score) == (0, 0.5)
    decision, _ = decide(scores(0, 1), state, settings)
    assert (decision.label, decision.score) == (1, 0.75)


def test_hysteresis_holds_until_the_lead_is_large_enough() -> None:
    settings = DecisionSettings(hysteresis=0.3)
    labels = []
    state = DecisionState()
    for row in ((0.6, 0.4), (0.4, 0.6), (0.3, 0.7), (0.45, 0.55)):
        decision, state = decide(scores(*row), state, settings)
        labels.append(decision.label)
    assert labels == [0, 0, 1, 1]


def test_a_state_is_a_value() -> None:
    settings = DecisionSettings(smoothing=0.5, hysteresis=0.1)
    _, state = decide(scores(0.9, 0.1), DecisionState(), settings)
    first = decide(scores(0.2, 0.8), state, settings)[0]
    assert decide(scores(0.2, 0.8), state, settings)[0] == first


@pytest.mark.parametrize(
    "values", [{"smoothing": 1.0}, {"threshold": 1.5}, {"hysteresis": -0.1}, {"warmup": -1}]
)
def test_settings_out_of_bounds_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(EdgecrnnError, match=next(iter(values))):
        DecisionSettings(**values)  # type: ignore[arg-type]
