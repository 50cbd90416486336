from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgecrnn.train.data.check.hashes import SIDE, gray, thumbnail
from edgecrnn.train.data.check.likeness import differences
from edgecrnn.train.data.check.near_duplicates import MOST


def difference(*frames) -> float:
    small = np.stack([thumbnail(gray(frame)) for frame in frames])[:, None]
    result = differences(small, np.array([0], np.int32), np.array([1], np.int32))
    assert result.shape == (1,)
    return float(result[0])


def jpeg(frame, quality):
    return cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)


ALTERED = {
    "re-encoded": lambda f: jpeg(f, 40),
    "half the size": lambda f: cv2.resize(f, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "brighter": lambda f: cv2.convertScaleAbs(f, alpha=1.1, beta=8),
    "a pixel to the right": lambda f: np.roll(f, 1, axis=1),
    "cropped by 2 %": lambda f: f[2:-2, 3:-3],
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_copy_is_well_below_the_limit(how: str, scene) -> None:
    for seed in range(5):
        frame = scene(seed, at=(40, 60))
        assert difference(frame, ALTERED[how](frame)) < 0.7 * MOST


def test_itself_differs_by_nothing(scene) -> None:
    assert difference(scene(3), scene(3)) < 0.001


def test_strangers_are_far_above_it(scene) -> None:
    assert min(difference(scene(seed), scene(seed + 1)) for seed in range(8)) > 1


def test_something_small_that_moved_before_a_still_camera_counts(scene) -> None:
    here, there = scene(0, at=(40, 20)), scene(0, at=(40, 90))
    assert np.corrcoef(gray(here).ravel(), gray(there).ravel())[0, 1] > 0.6
    assert difference(here, there) > MOST


def test_it_is_the_same_both_ways(scene) -> None:
    assert difference(scene(0), scene(1)) == pytest.approx(difference(scene(1), scene(0)))


def test_one_colour_is_like_no_scene_and_is_no_error(scene) -> None:
    flat = np.full((120, 160, 3), 90, np.uint8)
    assert difference(flat, flat) < 0.001
    assert difference(flat, scene(0)) > MOST
    assert difference(scene(0), flat) > MOST


def test_of_a_clip_the_frame_that_differs_most_counts() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 255, (8, SIDE, SIDE)).astype(np.uint8)
    other = one.copy()
    other[5] = rng.integers(0, 255, (SIDE, SIDE))
    place = np.array([0], np.int32)
    assert differences(np.stack([one, other]), place, place + 1)[0] > MOST
    assert differences(np.stack([one, one]), place, place + 1)[0] < 0.01


def test_many_pairs_are_compared_as_each_alone(scene) -> None:
    small = np.stack([thumbnail(gray(scene(seed))) for seed in range(30)])[:, None]
    first, second = (side.astype(np.int32) for side in np.triu_indices(30, 1))
    together = differences(small, first, second)
    assert len(together) == 435
    for pair in (0, 255, 256, 434):
        alone = differences(small, first[pair : pair + 1], second[pair : pair + 1])
        assert together[pair] == pytest.approx(alone[0], abs=1e-4)
