"""What stands in holes before anything is learned, and that what is there passes untouched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.train.network.filling import filled, known
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.pictures.network import build_picture_model
from edgecrnn.train.tasks import picture_task


def frame_with_hole(value: Any, size: int = 32) -> np.ndarray:
    frame = np.broadcast_to(np.asarray(value, np.float32), (1, size, size, 3)).copy()
    frame[:, 8:20, 4:18] = 0.0
    return frame


def test_only_black_is_a_hole() -> None:
    frame = np.full((1, 16, 16, 3), 90, np.float32)
    frame[0, 2, 2], frame[0, 12, 4] = (0, 0, 4), (255, 0, 0)
    frame[0, 6:9, 6:12] = 3.0
    there = np.asarray(known(frame))[0, ..., 0]
    assert np.array_equal(there, (frame[0].max(axis=-1) > 3).astype(np.float32))


def test_a_hole_in_one_color_takes_that_color() -> None:
    frame = frame_with_hole((30, 120, 250))
    made = 255.0 * np.asarray(filled(frame, known(frame)))
    assert np.allclose(made, np.broadcast_to((30, 120, 250), made.shape), atol=0.5)


def test_a_slope_goes_on_in_its_hole_and_the_rest_stays() -> None:
    slope = np.linspace(40, 240, 32, dtype=np.float32)[None, None, :, None].round()
    whole = np.broadcast_to(slope, (1, 32, 32, 3))
    frame = frame_with_hole(whole)
    made = 255.0 * np.asarray(filled(frame, known(frame)))
    there = frame.max(axis=-1) > 0
    assert np.allclose(made[there], frame[there], atol=1e-3)
    assert np.abs(made - whole)[~there].mean() < 20.0


def test_nothing_there_at_all_is_no_division_by_zero() -> None:
    frame = np.zeros((1, 16, 16, 3), np.float32)
    assert np.allclose(np.asarray(filled(frame, known(frame))), 0.0)


def test_the_network_writes_in_holes_alone() -> None:
    task = picture_task("reconstruct")
    network = NetworkSettings(sequence="patches", width=0.5, units=8, blocks=2).filled()
    model = build_picture_model(task, task.Settings(), network, (32, 32, 3), 0)
    write = model.get_layer("write_holes")
    write.kernel.assign(np.random.default_rng(0).normal(0, 1, write.kernel.shape))
    frame = frame_with_hole((0, 90, 255))
    answer = np.asarray(model({"frame": frame})["picture"])
    there = frame.max(axis=-1) > 0
    assert np.array_equal(answer[there], frame[there])
    assert answer[~there].std() > 5.0 and answer.min() >= 0.0 and answer.max() <= 255.0


def softened(whole: np.ndarray) -> np.ndarray:
    """The picture with a hole that came into it before it was made smaller."""
    size = whole.shape[1]
    there = np.ones((4 * size, 4 * size), np.float32)
    there[34:82, 18:70] = 0.0
    share = there.reshape(size, 4, size, 4).mean(axis=(1, 3))[None, :, :, None]
    return np.asarray(np.rint(whole * share), np.float32)


def test_a_border_that_resizing_darkened_is_filled_too() -> None:
    whole = np.broadcast_to(np.float32((90, 180, 220)), (1, 32, 32, 3))
    frame = softened(whole)
    there = np.asarray(known(frame))
    made = 255.0 * np.asarray(filled(frame, there))
    assert np.abs(made - whole).max() < 6.0
    # What lies beside is as it was; and a hole that was cut out sharply leaves all others whole.
    assert there[0, :4].min() == 1.0
    sharp = frame_with_hole((90, 180, 220))
    assert np.array_equal(np.asarray(known(sharp))[..., 0], (sharp.max(axis=-1) > 0).astype(float))
