from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.demo.moving_digits import LABELS, DemoSettings, make_clip, positions
from edgecrnn.train.demo.scans import scans


def turned(path: np.ndarray, size: int) -> np.ndarray:
    """Steps from frame to frame, the short way round the torus."""
    return (np.diff(path, axis=0) + size / 2) % size - size / 2


def test_scans_are_divided_without_overlap() -> None:
    parts = scans()
    assert {k: v.shape for k, v in parts.items()} == {
        "train": (1258, 8, 8), "val": (269, 8, 8), "test": (270, 8, 8),
    }  # fmt: skip
    assert max(v.max() for v in parts.values()) == 16


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(LABELS), st.integers(0, 2**32), st.sampled_from([48, 64, 96]))
def test_the_label_names_the_motion(label: str, seed: int, size: int) -> None:
    path = positions(label, np.random.default_rng(seed), DemoSettings(size=size))
    assert ((path >= 0) & (path <= size)).all()
    steps = turned(path.astype(float), size)
    scale = size / 48
    if label == "still":
        assert not steps.any()
    elif label in ("left", "right", "up", "down"):
        axis, sign = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}[label]
        assert np.allclose(steps[:, 1 - axis], 0, atol=1e-4)
        assert (steps[:, axis] * sign > 0.99 * scale).all()
        assert (steps[:, axis] * sign < 2.51 * scale).all()
    else:
        a, b = steps[:-1], steps[1:]
        bends = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        # y grows downwards: what bends to the positive side turns clockwise for the eye.
        assert (bends * (1 if label == "clockwise" else -1) > 0).all()


@pytest.mark.parametrize("frame", [0, 7, 23])
def test_the_place_in_one_frame_tells_nothing(frame: int) -> None:
    demo = DemoSettings()
    for label in LABELS:
        places = np.array(
            [positions(label, np.random.default_rng((9, i)), demo)[frame] for i in range(1500)]
        )
        counts, _, _ = np.histogram2d(*places.T, bins=4, range=[[0, 48], [0, 48]])
        # Sixteen equal cells: chi-square with 15 degrees of freedom, 1 in 10,000.
        expected = 1500 / 16
        assert ((counts - expected) ** 2 / expected).sum() < 44.3, label


@pytest.mark.parametrize("label", ["left", "right", "up", "down", "still"])
def test_the_picture_moves_as_the_path_does(label: str) -> None:
    demo = DemoSettings(frames=8)
    rng = np.random.default_rng(5)
    path = positions(label, np.random.default_rng(5), demo)
    clip = make_clip(label, rng, scans()["train"], demo)
    assert clip.shape == (8, 48, 48, 3) and clip.dtype == np.uint8
    gray = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY).astype(np.float32) for f in clip]
    dx, dy = turned(path[[0, 4]], 48)[0]
    apart = np.abs(np.roll(gray[0], (round(dy), round(dx)), (0, 1)) - gray[4]).mean()
    wrong = np.abs(np.roll(gray[0], (round(dy) + 9, round(dx) + 9), (0, 1)) - gray[4]).mean()
    assert apart < wrong


def test_a_person_can_see_the_digit() -> None:
    demo = DemoSettings(frames=1)
    for seed in range(60):
        clip = make_clip("still", np.random.default_rng(seed), scans()["test"], demo)
        gray = cv2.GaussianBlur(cv2.cvtColor(clip[0], cv2.COLOR_RGB2GRAY), (0, 0), 1)
        ground = np.median(gray)
        assert np.abs(gray.astype(float) - ground).max() > 30, seed


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(EdgecrnnError, match="did you mean 'left'"):
        make_clip("lefft", np.random.default_rng(0), scans()["test"], DemoSettings())
