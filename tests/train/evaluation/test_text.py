"""The printed tables."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.train.evaluation.metrics import confusion_matrix
from edgecrnn.train.evaluation.result import ClassScores, ClipScores, Detail, Evaluation
from edgecrnn.train.evaluation.text import evaluation_text, percent, shown, table


def evaluation(labels: tuple[str, ...], truth: list[int], predicted: list[int]) -> Evaluation:
    matrix = confusion_matrix(np.array(truth), np.array(predicted), len(labels))
    return Evaluation(
        kind="pictures",
        labels=labels,
        warmup=0,
        seed=0,
        clip=ClipScores(0.5, (0.4, 0.6), 0.5, len(truth), None),
        stream=None,
        classes=tuple(ClassScores(label, 0.5, None, 0.25, 2, None) for label in labels),
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        baseline=None,
        detail=Detail((), np.array(predicted), None),
    )


def test_columns_line_up_with_wide_letters() -> None:
    text = table([["name", "n"], ["左", "1"], ["left", "22"]])
    assert text == "name   n\n左     1\nleft  22\n"


def test_names_cannot_move_the_cursor_and_are_cut() -> None:
    assert shown("a\x1b[2Jb\n") == "a?[2Jb?"
    assert shown("bad\udcff") == "bad?"
    assert shown("x" * 60) == "x" * 27 + "…"


@given(st.text(max_size=80))
def test_any_name_fits_its_column(name: str) -> None:
    assert len(shown(name)) <= 28 * 2
    assert shown(name).isprintable()
    shown(name).encode("utf-8")


def test_few_classes_show_the_matrix_many_the_commonest_mistakes() -> None:
    few = evaluation_text(evaluation(("cat", "dog"), [0, 0, 1], [0, 1, 1]))
    assert " 1 cat           1  1" in few
    assert " 2 dog           ·  1" in few
    many = evaluation_text(
        evaluation(tuple(f"class {i}" for i in range(30)), [3, 3, 4, 5], [4, 4, 4, 3])
    )
    assert "class 3 → class 4         2" in many
    assert percent(None) == "-"
