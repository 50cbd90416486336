from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.augment import Augmentation, apply, draw
from edgecrnn.train.data.framing import draw_boxes, show


def shown(frame: np.ndarray, box: tuple[int, int, int, int], angle: float = 0.0) -> np.ndarray:
    """What of one frame [h, w] is seen."""
    out = np.empty((1, *frame.shape, 1), np.uint8)
    show(frame[None, :, :, None], np.array(box), angle, out)
    return out[0, :, :, 0]


def test_twice_as_far_is_half_as_large_and_the_edge_goes_on() -> None:
    frame = np.full((16, 16), 90, np.uint8)
    frame[4:12, 4:12] = 200
    seen = shown(frame, (-8, 24, -8, 24))
    assert (seen[6:10, 6:10] == 200).all()
    assert (seen[:5] == 90).all() and (seen[:, 11:] == 90).all()


def test_what_is_moved_is_the_same_elsewhere() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (12, 20), np.uint8)
    seen = shown(frame, (3, 15, -4, 16))
    assert np.array_equal(seen[:9, 4:], frame[3:, :16])
    assert (seen[:9, :4] == frame[3:, :1]).all() and (seen[9:] == seen[8]).all()


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 0.5), st.floats(0, 1), st.floats(0, 0.5), st.integers(0, 99))
def test_boxes_keep_their_bounds(crop: float, zoom_out: float, shift: float, seed: int) -> None:
    size = (40, 60)
    boxes = draw_boxes(size, 50, crop, zoom_out, shift, np.random.default_rng(seed))
    for side, length in enumerate(size):
        first, last = boxes[:, 2 * side], boxes[:, 2 * side + 1]
        long = last - first
        assert (long >= (1 - crop) * length - 0.5).all()
        assert (long <= (1 + zoom_out) * length + 0.5).all()
        # Without the shift a smaller box lies in the frame, and a larger one around it.
        beyond = shift * length + 0.5
        assert (np.minimum(0, length - long) - beyond <= first).all()
        assert (first <= np.maximum(0, length - long) + beyond).all()


def test_boxes_reach_as_far_as_asked() -> None:
    boxes = draw_boxes((100, 100), 2000, 0.2, 0.5, 0.1, np.random.default_rng(0))
    long = boxes[:, 1] - boxes[:, 0]
    assert long.min() in (80, 81) and long.max() in (149, 150)
    held = draw_boxes((100, 100), 2000, 0.0, 0.0, 0.1, np.random.default_rng(0))
    assert held[:, 0].min() == -10 and held[:, 0].max() == 10
    assert (held[:, 1] - held[:, 0] == 100).all()


def test_all_frames_of_a_clip_are_framed_alike() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (1, 24, 16, 3), np.uint8).repeat(3, 0)
    how = Augmentation(brightness=0, contrast=0, noise=0, zoom_out=0.5, shift=0.2, turn=9.0)
    draws = draw(how, 4, (24, 16, 3), np.random.default_rng(0))
    out = np.empty_like(frames)
    for clip in range(4):
        apply(frames, clip, draws, out)
        assert (out == out[0]).all() and not np.array_equal(out, frames)


@pytest.mark.parametrize("bad", [{"zoom_out": -0.1}, {"zoom_out": 1.5}, {"shift": 0.6}])
def test_frames_beyond_bounds_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(EdgecrnnError, match=f"{next(iter(bad))}: expected"):
        Augmentation(**bad)  # type: ignore[arg-type]
