"""A picture, its mask and its boxes are cut alike."""

from __future__ import annotations

import numpy as np
import pytest

from edgecrnn.train.pictures.cropping import cropped
from edgecrnn.train.tasks import Truth


def made(boxes: list[list[float]]) -> tuple[np.ndarray, Truth]:
    """A black picture with what lies in the boxes white, each with its label in the mask."""
    mask = np.zeros((64, 96), np.uint8)
    for left, top, wide, high, label in boxes:
        mask[int(top) : int(top + high), int(left) : int(left + wide)] = label + 1
    picture = np.repeat((255 * (mask > 0)).astype(np.uint8)[..., None], 3, axis=-1)
    return picture, Truth(mask=mask, boxes=np.array(boxes, np.float32).reshape(-1, 5))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_said_of_places_stays_true(seed: int) -> None:
    before, truth = made([[5, 6, 20, 12, 0], [60, 30, 18, 24, 1], [30, 40, 10, 10, 2]])
    picture, moved = cropped(before, truth, np.random.default_rng(seed), 0.4)
    assert picture.shape == before.shape and picture.dtype == np.uint8
    assert moved.mask is not None and moved.boxes is not None and len(moved.boxes)
    assert ((picture[..., 0] > 127) == (moved.mask > 0)).mean() > 0.99
    for left, top, wide, high, label in moved.boxes:
        rows, columns = np.nonzero(moved.mask == label + 1)
        found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert np.allclose(found, (left, top, left + wide, top + high), atol=1.5)
    # No box without, and none of a thing of which half is cut away.
    assert len(moved.boxes) == len(set(np.unique(moved.mask)) - {0})


def test_it_changes_with_the_draw() -> None:
    before, truth = made([[40, 20, 16, 16, 3]])
    rng = np.random.default_rng(0)
    draws = [cropped(before, truth, rng, 0.4)[1].boxes for _ in range(6)]
    assert len({draw.tobytes() for draw in draws if draw is not None}) == 6


def test_what_would_always_be_cut_in_two_stays_whole() -> None:
    # A tall and a wide one fill the picture: any part of half its sides cuts one of them.
    before, truth = made([[0, 0, 96, 64, 0]])
    for seed in range(10):
        picture, moved = cropped(before, truth, np.random.default_rng(seed), 0.9)
        assert moved.boxes is not None and len(moved.boxes) == 1
        assert picture.all()
