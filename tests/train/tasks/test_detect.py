"""Boxes: what a target says is there, for the measure and for the report."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.runtime.answers.boxes import boxes_of
from edgecrnn.train.pictures.examples import as_answer
from edgecrnn.train.tasks import Truth, picture_task


def target(*boxes: tuple[float, ...]) -> np.ndarray:
    task = picture_task("detect")
    truth = Truth(boxes=np.array(boxes, np.float32))
    picture = np.zeros((64, 64, 3), np.uint8)
    made = task.example(task.Settings(), picture, truth, np.random.default_rng(0)).target
    assert isinstance(made, np.ndarray)
    return made


@pytest.mark.parametrize("pair", [False, True])
def test_the_truth_of_a_report_shows_every_box_by_its_class(pair: bool) -> None:
    made = target((8, 8, 16, 16, 0), (40, 40, 16, 16, 2))
    shown = as_answer((np.zeros((64, 64, 3), np.float32), made) if pair else made, 3)
    boxes = boxes_of(shown[1] if pair else shown, 0.5)
    assert {(box[0] * 64, box[5], box[4]) for box in boxes} == {(8, 0, 1), (40, 2, 1)}


def test_true_boxes_that_lie_on_each_other_all_count() -> None:
    task = picture_task("detect")
    one, other = (8, 8, 32, 32, 1), (16, 8, 32, 32, 1)
    nothing = np.zeros((8, 8, 7), np.float32)
    (noted,) = task.notes(task.Settings(), [nothing], [target(one, other)])
    assert noted.true == (1, 1) and noted.found == ()
