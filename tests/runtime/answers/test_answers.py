"""What answers are told as, and what is drawn of them."""

from __future__ import annotations

import numpy as np
import pytest

from edgecrnn.runtime.answers import answer_names, answer_of, shown
from edgecrnn.runtime.answers.boxes import boxes_of
from edgecrnn.runtime.errors import EdgecrnnError

FRAME = np.full((60, 80, 3), 100, np.uint8)


def grid(*cells: tuple[int, int, tuple[float, ...]]) -> np.ndarray:
    """A 6 by 8 grid of two classes with these cells, the rest empty."""
    answer = np.zeros((6, 8, 7), np.float32)
    for row, column, numbers in cells:
        answer[row, column] = numbers
    return answer


def test_a_box_lies_where_its_cell_says() -> None:
    answer = grid((2, 3, (0.9, 0.5, 0.5, 0.25, 0.5, 0.1, 1.0)))
    ((left, top, width, height, score, number),) = boxes_of(answer, 0.5)
    # The centre is in the middle of cell (2, 3): 3.5 of 8 across, 2.5 of 6 down.
    assert (left, top) == pytest.approx((3.5 / 8 - 0.125, 2.5 / 6 - 0.25))
    assert (width, height, score, number) == pytest.approx((0.25, 0.5, 0.9, 1.0))


def test_of_two_boxes_of_one_thing_the_surer_one_stays() -> None:
    answer = grid(
        (2, 3, (0.9, 0.9, 0.5, 0.3, 0.5, 0.0, 1.0)),
        (2, 4, (0.8, 0.1, 0.5, 0.3, 0.5, 0.0, 1.0)),
        (2, 5, (0.7, 0.1, 0.5, 0.3, 0.5, 1.0, 0.0)),
    )
    assert [box[4:] for box in boxes_of(answer, 0.5)] == [
        pytest.approx((0.9, 1.0)), pytest.approx((0.7, 0.0)),
    ]  # fmt: skip


def test_boxes_are_counted_and_drawn() -> None:
    answer = grid(
        (1, 1, (0.9, 0.5, 0.5, 0.2, 0.2, 0.0, 1.0)),
        (4, 6, (0.9, 0.5, 0.5, 0.2, 0.2, 0.0, 1.0)),
        (4, 2, (0.6, 0.5, 0.5, 0.2, 0.2, 1.0, 0.0)),
        (0, 7, (0.4, 0.5, 0.5, 0.2, 0.2, 1.0, 0.0)),
    )
    told = answer_of("boxes").told(answer, ("cat", "dog"))
    assert told.label == "cat, 2 x dog" and told.scores == pytest.approx((0.6, 0.9))
    assert len(told.boxes) == 3
    view = shown(told, FRAME)
    assert view.shape == FRAME.shape and (view != FRAME).any() and (FRAME == 100).all()
    assert answer_of("boxes").told(grid(), ("cat", "dog")).label == "nothing"


def test_regions_are_named_by_their_share_and_colored() -> None:
    answer = np.zeros((6, 8, 3), np.float32)
    answer[..., 0] = 1.0
    answer[:3, :4] = (0.0, 0.2, 0.8)
    told = answer_of("regions").told(answer, ("ground", "road", "sky"))
    assert told.label == "sky" and told.scores == pytest.approx((0.75, 0.0, 0.25))
    view = shown(told, FRAME)
    assert (view[:30, :40] != FRAME[:30, :40]).any() and (view[40:] == FRAME[40:]).all()
    # As a mask of numbers says it, too.
    same = answer_of("regions").told(
        answer.argmax(-1).astype(np.float32), ("ground", "road", "sky")
    )
    assert same.label == "sky"


def test_a_picture_stands_beside_its_frame() -> None:
    answer = np.zeros((16, 16, 3), np.float32)
    answer[..., 0] = 300.0
    told = answer_of("picture").told(answer, ())
    assert told.view(FRAME).shape == (16, 16, 3)
    # RGB in, BGR out, levels kept within bounds.
    assert told.view(FRAME)[0, 0].tolist() == [0, 0, 255]
    assert shown(told, FRAME).shape == (60, 80 + 60, 3)


def test_gray_pictures_edges_and_values() -> None:
    gray = answer_of("picture").told(np.full((8, 8, 1), 7.4, np.float32), ())
    assert gray.view(FRAME)[0, 0].tolist() == [7, 7, 7]
    edges = answer_of("edges").told(np.eye(8, dtype=np.float32)[..., None], ())
    assert edges.score == pytest.approx(1 / 8)
    value = answer_of("value").told(np.array([0.734], np.float32), ())
    assert value.label == "0.73" and (value.view(FRAME) != FRAME).any()
    vector = answer_of("embedding").told(np.ones(4, np.float32) / 2, ("a", "b"))
    assert vector.scores == (0.0, 0.0) and vector.view(FRAME) is FRAME


def test_an_answer_of_a_newer_edgecrnn() -> None:
    assert "labels" in answer_names()
    with pytest.raises(
        EdgecrnnError, match=r"answer: expected one of .*boxes.* got 'holograms'; inst"
    ):
        answer_of("holograms")
