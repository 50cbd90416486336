"""The chart of precision over coverage, its places worked out by hand, and its part of the page."""

from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.evaluation.deciding import (
    CurvePoint,
    decided_scores,
    picture_decisions,
    precision_coverage,
)
from edgecrnn.train.evaluation.promise import Promise
from edgecrnn.train.evaluation.result import ClassScores, ClipScores, Detail, Evaluation
from edgecrnn.train.report.build import build_report
from edgecrnn.train.report.content import ReportInput
from edgecrnn.train.report.precision_coverage import Curve, precision_chart

POINTS = (CurvePoint(0.0, 1.0, 0.6), CurvePoint(0.5, 0.5, 0.8), CurvePoint(0.9, 0.25, None))


def drawn(*curves: Curve) -> ElementTree.Element:
    chart = precision_chart(curves)
    assert chart is not None
    return ElementTree.fromstring(str(chart))


def test_points_stand_where_they_belong() -> None:
    root = drawn(Curve("test", "curve val", POINTS, 0.5, 0.8))
    # The axis starts at 60 %, a round value; its line at 242, 100 % at 36; 48 to 424 across.
    said = [each.text for each in root.iter("text")]
    assert [one for one in said if one and one.endswith("0 %")][:3] == ["60 %", "70 %", "80 %"]
    line = next(root.iter("polyline"))
    # Nothing answered has no precision, and no place.
    assert line.get("points") == "424,242 236,139"
    dot = next(root.iter("circle"))
    assert (dot.get("cx"), dot.get("cy")) == ("236", "139")
    assert "test" in said


def test_nothing_to_draw() -> None:
    assert precision_chart(()) is None
    nothing = (CurvePoint(0.9, 0.0, None),)
    assert precision_chart([Curve("test", "curve val", nothing, 0.0, None)]) is None


def test_always_right_still_has_an_axis() -> None:
    root = drawn(Curve("test", "curve val", (CurvePoint(0.5, 1.0, 1.0),), None, None))
    said = [each.text for each in root.iter("text")]
    assert said[:2] == ["99 %", "100 %"]


TRUTH = np.repeat([0, 1], 20)


def evaluation(right: np.ndarray, promise: Promise | None) -> Evaluation:
    """Of 40 pictures in two classes, those that are `right` by 0.9, the others wrong by 0.6."""
    sure = np.where(right, 0.9, 0.6)
    said = np.where(right, TRUTH, 1 - TRUTH)
    scores = np.where(np.arange(2) == said[:, None], sure[:, None], 1 - sure[:, None])
    decided = picture_decisions(scores.astype(np.float32))
    rule = DecisionSettings(threshold=0.5)
    counted = np.ones(40, bool)
    return Evaluation(
        kind="pictures",
        labels=("a", "b"),
        warmup=0,
        seed=0,
        clip=ClipScores(float(right.mean()), (0.0, 1.0), float(right.mean()), 40, None),
        stream=None,
        classes=tuple(ClassScores(label, 0.5, 0.5, 0.5, 20, None) for label in "ab"),
        confusion=((20, 0), (0, 20)),
        baseline=None,
        detail=Detail((), said, None),
        decision=rule,
        decided=decided_scores(TRUTH, counted, decided, 0.5, np.arange(40), streamed=False),
        curve=precision_coverage(TRUTH, counted, decided),
        promise=promise,
    )


def page(right: np.ndarray, promise: Promise | None = None) -> str:
    return build_report(
        ReportInput(
            "r", "2026", "e", "columns", None, 9, evaluation(right, promise), "the test split"
        )
    )


def test_the_page_says_which_line_chose() -> None:
    easy = evaluation(np.ones(40, bool), None)
    assert easy.decided is not None
    promise = Promise(40, easy.decided, easy.curve)
    broken = page(np.arange(40) % 2 == 0, promise)
    assert "validation, for choosing" in broken and "test, only shown" in broken
    # 100 % of 40 are 91.2 to 100 %; of 20 of 40 the interval ends near 65 %.
    assert "100.0 % of the answers were right, here 50.0 %: 50.0 points less" in broken
    assert "Validation was easier than these pictures" in broken
    held = page(np.ones(40, bool), promise)
    assert "here 100.0 % as well" in held and "Validation was easier" not in held
    alone = page(np.ones(40, bool))
    assert "only shown" not in alone and "as well" not in alone
    assert re.search(r">test</text>", alone)


def test_a_page_without_a_rule_has_no_such_part() -> None:
    bare = dataclasses.replace(
        evaluation(np.ones(40, bool), None), decision=None, decided=None, curve=()
    )
    html = build_report(ReportInput("r", "2026", "e", "columns", None, 9, bare, "the test split"))
    assert "How sure it has to be" not in html
