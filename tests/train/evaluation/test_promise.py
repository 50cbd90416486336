"""What validation promised, held against other clips; worked out by hand."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.evaluation.deciding import CurvePoint, DecidedScores
from edgecrnn.train.evaluation.promise import Promise, read_promise, shortfall, shortfall_said


def decided(precision: float | None, low: float | None, high: float | None) -> DecidedScores:
    return DecidedScores(
        accuracy=0.8,
        accuracy_interval=(0.7, 0.9),
        precision=precision,
        precision_interval=(low, high),
        coverage=0.9,
        unknown=0.1,
        claimed=0.88,
        delay_median=3,
        delay_p90=None,
        never_followed=0,
        flickers_per_1000=12.5,
    )


def promise(precision: float | None, low: float | None, high: float | None) -> Promise:
    return Promise(30, decided(precision, low, high), (CurvePoint(0.0, 1.0, 0.75),))


def test_a_promise_that_is_kept_to_the_digit() -> None:
    said = shortfall_said(promise(0.98, 0.95, 1.0), decided(0.9801, 0.9, 1.0), "clip")
    assert said.endswith("98.0 % of the answers were right, here 98.0 % as well.")


def test_a_promise_that_is_broken() -> None:
    short = shortfall(promise(0.98, 0.95, 1.0), decided(0.85, 0.75, 0.89))
    assert short is not None and not short.chance
    # 0.13, less the root of 0.03^2 + 0.04^2; and more the root of 0.02^2 + 0.10^2.
    assert short.interval == (pytest.approx(0.08), pytest.approx(0.13 + math.hypot(0.02, 0.1)))
    said = shortfall_said(promise(0.98, 0.95, 1.0), decided(0.85, 0.75, 0.89), "clip")
    assert "validation, 30 clips) 98.0 % of the answers were right, here 85.0 %" in said
    assert "13.0 points less (95 % interval 8.0 to 23.2)" in said
    assert "Validation was easier than these clips" in said
    assert "(88.0 % on average)" in said


def test_a_promise_that_holds() -> None:
    said = shortfall_said(promise(0.99, 0.97, 1.0), decided(0.983, 0.96, 0.996), "picture")
    assert "30 pictures" in said and said.endswith("which may be chance.")


def test_better_than_promised() -> None:
    said = shortfall_said(promise(0.7, 0.65, 0.75), decided(0.9, 0.85, 0.95), "clip")
    # 0.2 less and more the root of 0.05^2 + 0.05^2.
    assert said.endswith("20.0 points more (95 % interval 12.9 to 27.1).")


@pytest.mark.parametrize("nothing", [0, 1])
def test_nothing_answered_says_nothing(nothing: int) -> None:
    some, none = (0.9, 0.8, 1.0), (None, None, None)
    given = (none, some) if nothing == 0 else (some, none)
    assert shortfall_said(promise(*given[0]), decided(*given[1]), "clip") == ""


def test_written_and_read() -> None:
    before = promise(0.98, 0.95, 1.0)
    assert read_promise(json.loads(json.dumps(dataclasses.asdict(before))), "validation") == before


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("clips", "30", "validation: clips: expected int, got '30'"),
        ("decided", None, "validation.decided: expected keys and their values, got None"),
        ("decided", {"accuracy": 1}, "validation.decided: .*missing"),
        ("curve", [{"threshold": 0.0}], "validation.curve: .*missing"),
        ("curve", [[0.0, 1.0, 1.0]], "validation.curve: expected keys"),
        ("curve", 3, "validation: curve: expected a list"),
        ("more", 3, "validation: expected the keys clips"),
    ],
)
def test_what_is_no_promise_is_refused(key: str, value: object, said: str) -> None:
    values = json.loads(json.dumps(dataclasses.asdict(promise(0.98, 0.95, 1.0))))
    with pytest.raises(EdgecrnnError, match=said):
        read_promise({**values, key: value}, "validation")
