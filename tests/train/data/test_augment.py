from __future__ import annotations

import re
from dataclasses import replace

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
    apply(frames, 2, draw(how, 4, frames.shape[1:], np.random.default_rng(seed)), out)
    return out


def test_nothing_asked_nothing_changed() -> None:
    assert np.array_equal(changed(NONE), FRAMES)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 0.5), st.floats(0, 1), st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0, 2),
    st.sampled_from([0, 1.5, 16]), st.sampled_from(["none", "horizontal"]),
    st.sampled_from([0, 15, 180]), st.sampled_from([(8, 8, 1), (9, 17, 3), (48, 48, 3)]),
    st.integers(0, 99),
)  # fmt: skip
def test_a_still_clip_stays_still(
    crop, brightness, contrast, tint, gamma, blur, flip, turn, shape, seed
) -> None:
    frames = np.random.default_rng(seed).integers(0, 255, (1, *shape), np.uint8).repeat(3, 0)
    before = frames.copy()
    how = Augmentation(crop, brightness, contrast, tint, gamma, blur, 0, flip, (), turn)
    out = changed(how, frames, seed)
    assert np.array_equal(frames, before)
    assert (out == out[0]).all()


def test_a_quarter_turn_about_the_middle() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (2, 12, 12, 3), np.uint8)
    draws = draw(replace(NONE, turn=90), 4, (12, 12, 3), np.random.default_rng(0))
    draws.angles[:] = 90
    out = np.empty_like(frames)
    apply(frames, 0, draws, out)
    assert np.array_equal(out, np.rot90(frames, axes=(1, 2)))


def test_a_turn_and_a_crop_keep_the_middle_of_what_is_cropped() -> None:
    """A dot in the middle of the crop is in the middle of the result, whatever the angle."""
    frames = np.zeros((1, 41, 41, 3), np.uint8)
    draws = draw(replace(NONE, turn=180, crop=0.5), 4, (41, 41, 3), np.random.default_rng(1))
    for clip in range(4):
        top, bottom, left, right = draws.boxes[clip]
        frames[:] = 0
        frames[:, (top + bottom - 1) // 2, (left + right - 1) // 2] = 255
        out = np.empty_like(frames)
        apply(frames, clip, draws, out)
        seen = np.argwhere(out[0, :, :, 0] > 60)
        assert np.abs(seen.mean(axis=0) - 20).max() <= 1.5


def test_the_angles_are_as_large_as_asked() -> None:
    angles = draw(replace(NONE, turn=20), 1000, (8, 8, 3), np.random.default_rng(0)).angles
    assert 19 < angles.max() <= 20 and -20 <= angles.min() < -19


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


def test_noise_is_added_and_stops_at_black_and_white() -> None:
    def noisy(frames: np.ndarray) -> np.ndarray:
        out = frames.copy()
        Noise(3.0, np.random.default_rng(7)).add(out)
        return out

    drawn = noisy(np.full_like(FRAMES, 128)).astype(int) - 128
    assert drawn.min() < 0 < drawn.max()
    assert np.array_equal(noisy(FRAMES), np.clip(FRAMES + drawn, 0, 255))


def test_tables_are_the_same_for_a_clip_alone_and_among_others() -> None:
    how = Augmentation(tint=0.3, gamma=0.5)
    draws = draw(how, 4, (8, 8, 3), np.random.default_rng(0))
    together = draws.tables(np.array([3, 1, 3]))
    assert together.shape == (3, 256, 3)
    assert np.array_equal(together[1], draws.tables(np.array([1]))[0])
    assert np.array_equal(together[0], together[2])
    assert not np.array_equal(together[0], together[1])


def test_bad_settings_are_refused() -> None:
    with pytest.raises(EdgecrnnError, match="flip"):
        Augmentation(flip="vertical")
    with pytest.raises(EdgecrnnError, match="crop"):
        Augmentation(crop=0.9)


def test_a_color_changes_on_its_own() -> None:
    gray = np.full((3, 8, 8, 3), 128, np.uint8)
    how = Augmentation(crop=0, brightness=0, contrast=0, noise=0, tint=0.5)
    shown = changed(how, gray)
    assert len({int(level) for level in shown[0, 0, 0]}) == 3
    assert (shown == shown[0, 0, 0]).all()
    assert np.array_equal(changed(how, gray[..., :1]), changed(how, gray[..., :1]))


def test_gamma_leaves_black_and_white() -> None:
    levels = np.array([0, 128, 255], np.uint8).reshape(1, 1, 3, 1)
    how = Augmentation(crop=0, brightness=0, contrast=0, noise=0, gamma=1.0)
    middles = set()
    for seed in range(20):
        black, middle, white = changed(how, levels, seed).ravel().tolist()
        assert (black, white) == (0, 255)
        middles.add(middle)
    # An octave either way: 255 * 0.502 ** 2 and 255 * 0.502 ** 0.5.
    assert 64 <= min(middles) < 90 and 165 < max(middles) <= 181


def test_blur_spreads_a_point() -> None:
    point = np.zeros((2, 15, 15, 3), np.uint8)
    point[:, 7, 7] = 255
    shown = changed(Augmentation(crop=0, brightness=0, contrast=0, noise=0, blur=2.0), point)
    assert 0 < shown[0].max() < 255 and np.count_nonzero(shown[0]) > 27
    assert np.array_equal(shown[0], shown[1])


def test_classes_that_a_mirror_swaps() -> None:
    how = Augmentation(flip="horizontal", swaps=("left=right",))
    assert how.mirrored(("left", "none", "right")).tolist() == [2, 1, 0]
    assert Augmentation().mirrored(("left", "right")).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("swaps", "said"),
    [
        (("left",), "expected LEFT=RIGHT, two classes, got 'left'"),
        (("left=left",), "expected LEFT=RIGHT"),
        (("left=rihgt",), "got 'rihgt' (did you mean 'right'?)"),
        (("left=right", "right=none"), "expected each class in one pair"),
    ],
)
def test_swaps_that_cannot_be(swaps: tuple[str, ...], said: str) -> None:
    with pytest.raises(EdgecrnnError, match=re.escape(said)):
        Augmentation(flip="horizontal", swaps=swaps).mirrored(("left", "none", "right"))


def test_swaps_without_a_flip_are_refused() -> None:
    with pytest.raises(EdgecrnnError, match="expected --flip horizontal"):
        Augmentation(swaps=("left=right",))
