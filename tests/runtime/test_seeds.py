"""Noise with a class in it, from which pictures are made."""

from __future__ import annotations

import numpy as np

from edgecrnn.runtime.seeds import asked_for, seed_frame

SHAPE = (32, 40, 3)


def test_the_class_is_where_the_noise_is_not() -> None:
    frames = [seed_frame(SHAPE, 3, np.random.default_rng(seed)) for seed in (0, 1)]
    cells = [frame.reshape(4, 8, 5, 8, 3) for frame in frames]
    assert frames[0].shape == SHAPE and frames[0].dtype == np.uint8
    assert np.array_equal(cells[0][:, 4:], cells[1][:, 4:])
    assert not np.array_equal(cells[0][:, :4], cells[1][:, :4])
    assert set(np.unique(cells[0][:, 4:])) == {0, 255}


def test_classes_differ_and_none_is_gray() -> None:
    below = [
        seed_frame(SHAPE, label, np.random.default_rng(0)).reshape(4, 8, 5, 8, 3)[:, 4:]
        for label in range(-1, 10)
    ]
    assert np.unique(below[0]).tolist() == [128]
    assert len({each.tobytes() for each in below}) == 11


def test_the_same_seed_gives_the_same_frame() -> None:
    one, other = (seed_frame(SHAPE, 1, np.random.default_rng(7)) for _ in "ab")
    assert np.array_equal(one, other)


def test_the_class_is_read_again() -> None:
    rng = np.random.default_rng(0)
    asked = [asked_for(seed_frame(SHAPE, label, rng), 10) for label in range(-1, 12)]
    assert asked == [*range(-1, 10), -1, -1]
    assert asked_for(rng.integers(0, 256, SHAPE, np.uint8), 10) == -1
