"""How a frame is prepared: the same for training, calibration and the live loop."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing, prepare


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Something with large and with fine structure."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(0, 256, (6, 8, 3)).astype(np.uint8), (width, height))
    return np.clip(coarse + rng.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(480, 640), (720, 1280), (1080, 1920), (486, 720)])
def test_a_large_frame_is_its_average(size: tuple[int, int]) -> None:
    image = picture(*size)
    made = prepare(image, Preprocessing(height=48, width=64))
    whole = cv2.resize(image, (64, 48), interpolation=cv2.INTER_AREA)[..., ::-1]
    apart = np.abs(made.astype(int) - whole)
    # Halved first where that can be done: rounding to whole levels once more each time.
    assert apart.mean() < 0.6 and apart.max() <= 12


def test_a_frame_that_is_not_far_larger_is_averaged_at_once() -> None:
    image = picture(128, 160)
    made = prepare(image, Preprocessing(height=48, width=64))
    whole = cv2.resize(image, (64, 48), interpolation=cv2.INTER_AREA)[..., ::-1]
    assert np.array_equal(made, whole)


def test_the_size_itself_is_left_as_it_is() -> None:
    image = picture(48, 64)
    made = prepare(image, Preprocessing(height=48, width=64))
    assert np.array_equal(made, image[..., ::-1]) and made.flags.c_contiguous


@given(
    st.integers(1, 700), st.integers(1, 700), st.integers(8, 96), st.integers(8, 96),
    st.sampled_from(["rgb", "gray"]), st.sampled_from(["stretch", "crop", "pad"]),
)  # fmt: skip
def test_any_size_becomes_the_size_asked_for(
    height: int, width: int, high: int, wide: int, color: str, fit: str
) -> None:
    asked = Preprocessing(height=high, width=wide, color=color, fit=fit)
    made = prepare(np.full((height, width, 3), 77, np.uint8), asked)
    assert made.shape == asked.frame_shape and made.dtype == np.uint8
    # One color stays that color, but for the black of padding.
    assert set(np.unique(made)) <= ({77} if fit != "pad" else {*range(78)})


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros(5, np.uint8)]
)
def test_what_is_no_picture(image: np.ndarray) -> None:
    with pytest.raises(EdgecrnnError, match="image: expected uint8 pixels"):
        prepare(image, Preprocessing())
