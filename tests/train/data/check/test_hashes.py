from __future__ import annotations

import cv2
import numpy as np

from edgecrnn.train.data.check.hashes import BITS, SIDE, gray, hashes, thumbnail


def test_the_hash_stays_with_brightness_and_contrast(scene) -> None:
    frame = scene(1)
    bits = hashes(thumbnail(gray(frame)))
    assert bits.shape == (BITS,) and bits.dtype == np.bool_
    for gain, offset in ((0.8, 0), (1.0, 30), (0.6, 50)):
        other = cv2.convertScaleAbs(frame, alpha=gain, beta=offset)
        assert (hashes(thumbnail(gray(other))) != bits).mean() < 0.05


def test_the_hash_stays_with_the_size(scene) -> None:
    frame = scene(1)
    double = cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    bits, other = (hashes(thumbnail(gray(each))) for each in (frame, double))
    assert (bits != other).mean() < 0.05


def test_strangers_differ_in_about_half_of_the_bits(scene) -> None:
    pictures = np.stack([thumbnail(gray(scene(seed))) for seed in range(30)])
    bits = hashes(pictures)
    shares = [(bits[0] != other).mean() for other in bits[1:]]
    assert min(shares) > 0.35 and max(shares) < 0.65


def test_any_number_of_axes() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (3, 2, SIDE, SIDE)).astype(np.uint8)
    bits = hashes(pictures)
    assert bits.shape == (3, 2, BITS)
    assert np.array_equal(bits[2, 1], hashes(pictures[2, 1]))
