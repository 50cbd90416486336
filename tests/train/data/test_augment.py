from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.augment import Augmentation, Noise, apply, draw

NONE = Augmentation(crop=0, brightness=0, contrast=0, noise=0)
FRAMES = np.random.default_rng(0).integers(0, 255, (5, 12, 20, 3), np.uint8)


def changed(how: Augmentation, frames: np.ndarray = FRAMES, seed: int = 0) -> np.ndarray:
    out = np.empty_like(frames)
    size = (frames.shape[1], frames.shape[2])
    apply(frames, 2, draw(how, 4, size, np.random.default_rng(seed)), out)
    return out


def test_nothing_asked_nothing_changed() -> None:
    assert np.array_equal(changed(NONE), FRAMES)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 0.5), st.floats(0, 1), st.floats(0, 0.9), st.sampled_from(["none", "horizontal"]),
    st.sampled_from([(8, 8, 1), (9, 17, 3), (48, 48, 3)]), st.integers(0, 99),
)  # fmt: skip
def test_a_still_clip_stays_still(crop, brightness, contrast, flip, shape, seed) -> None:
    frames = np.random.default_rng(seed).integers(0, 255, (1, *shape), np.uint8).repeat(3, 0)
    before = frames.copy()
    out = changed(Augmentation(crop, brightness, contrast, 0, flip), frames, seed)
    assert np.array_equal(frames, before)
    assert (out == out[0]).all()


def test_flip_mirrors_about_half() -> None:
    how = Augmentation(crop=0, brightness=0, contrast=0, noise=0, flip="horizontal")
    results = [changed(how, seed=s) for s in range(60)]
    mirrored = [np.array_equal(r, FRAMES[:, :, ::-1]) for r in results]
    assert all(m or np.array_equal(r, FRAMES) for m, r in zip(mirrored, results, strict=True))
    assert 15 < sum(mirrored) < 45


def test_a_crop_is_a_part_of_the_frame() -> None:
    ramp = np.broadcast_to(
        np.arange(0, 200, 10, dtype=np.uint8)[None, None, :, None], (1, 12, 20, 3)
    )
    how = Augmentation(crop=0.5, brightness=0, contrast=0, noise=0)
    firsts = {int(changed(how, np.ascontiguousarray(ramp), s)[0, 0, 0, 0]) for s in range(40)}
    assert min(firsts) == 0 and 40 < max(firsts) <= 100


def test_noise_has_the_spread_asked_for() -> None:
    frames = np.full((40, 64, 64, 3), 128, np.uint8)
    Noise(5.0, np.random.default_rng(0)).add(frames)
    assert frames.std() == pytest.approx(5.0, abs=0.2) and frames.mean() == pytest.approx(
        128, abs=0.1
    )
    white = np.full((2, 512, 1024, 3), 255, np.uint8)
    Noise(5.0, np.random.default_rng(0)).add(white)
    assert white.min() > 200


def test_bad_settings_are_refused() -> None:
    with pytest.raises(EdgecrnnError, match="flip"):
        Augmentation(flip="vertical")
    with pytest.raises(EdgecrnnError, match="crop"):
        Augmentation(crop=0.9)
