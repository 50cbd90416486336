"""PSNR and SSIM against values worked out otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.train.measures.pictures import psnr, ssim


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3)).astype(np.uint8)


def test_psnr_of_a_known_error() -> None:
    one = np.full((8, 8, 1), 100, np.uint8)
    # An error of 10 levels everywhere: 10 log10(255^2 / 100).
    assert psnr(one, one + np.uint8(10)) == pytest.approx(28.1308, abs=1e-4)


def test_the_same_picture() -> None:
    assert psnr(noise(0), noise(0)) == 100.0
    assert ssim(noise(0), noise(0)) == pytest.approx(1.0)


def test_ssim_against_the_formula_at_one_place() -> None:
    # One window of 11 pixels: the Gaussian's weights written out.
    one, other = noise(1)[:11, :11], noise(2)[:11, :11]
    axis = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    weight = (np.outer(axis, axis) / axis.sum() ** 2)[..., None]
    x, y = one.astype(float), other.astype(float)
    mx, my = (weight * x).sum((0, 1)), (weight * y).sum((0, 1))
    vx, vy = (weight * x * x).sum((0, 1)) - mx**2, (weight * y * y).sum((0, 1)) - my**2
    xy = (weight * x * y).sum((0, 1)) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    wanted = (2 * mx * my + c1) * (2 * xy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert ssim(one, other) == pytest.approx(wanted.mean(), abs=1e-9)


@given(st.integers(0, 50), st.integers(1, 40))
def test_more_noise_is_never_nearer(seed: int, sigma: int) -> None:
    clean = np.full((16, 16, 3), 128, np.uint8)
    drawn = np.random.default_rng(seed).normal(0, 1, clean.shape)
    little, much = ((clean + s * drawn).round().astype(np.uint8) for s in (sigma, sigma * 1.5))
    assert psnr(clean, much) <= psnr(clean, little)
