"""Copies are found, and a camera that stands still does not drown them."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from edgecrnn.train.data.check.near_duplicates import LEAST, MOST, near_duplicates
from edgecrnn.train.data.check.reading import read_all
from edgecrnn.train.data.layout import read_layout


def found(root: Path) -> tuple[set[tuple[str, str]], float]:
    """The names of each pair, and the limit."""
    layout = read_layout(root)
    near = near_duplicates(read_all(layout.items, layout.kind))
    names = [layout.name(item) for item in layout.items]
    assert all(pair.first < pair.second for pair in near.pairs)
    return {(names[pair.first], names[pair.second]) for pair in near.pairs}, near.limit


def test_a_set_of_strangers_has_none(good: Path) -> None:
    assert found(good) == (set(), MOST)


def test_copies_are_found_wherever_they_stand(good: Path, save) -> None:
    original = cv2.imread(str(good / "train/cat/1.jpg"))
    save(good / "test/cat/small.png", cv2.resize(original, (80, 60), interpolation=cv2.INTER_AREA))
    save(good / "train/dog/bright.jpg", cv2.convertScaleAbs(original, alpha=1.1, beta=5))
    shutil.copy(good / "val/dog/3.jpg", good / "train/dog/same.jpg")
    pairs, limit = found(good)
    assert pairs == {
        ("train/cat/1.jpg", "test/cat/small.png"),
        ("train/cat/1.jpg", "train/dog/bright.jpg"),
        ("train/dog/bright.jpg", "test/cat/small.png"),
        ("train/dog/same.jpg", "val/dog/3.jpg"),
    }
    assert limit == MOST


def noisy(frame, seed: int):
    noise = np.random.default_rng(seed).normal(0, 3, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def test_before_a_still_camera_the_set_itself_sets_the_limit(tmp_path: Path, scene, save) -> None:
    """One scene; in each class something small stands elsewhere. Two frames are true copies."""
    root = tmp_path / "still"
    for c, name in enumerate(("left", "right")):
        for split, count in (("train", 12), ("test", 6)):
            for i in range(count):
                where = (10 + 5 * (i + 6 * (split == "test")), 20 + 70 * c)
                save(root / split / name / f"{i}.png", noisy(scene(0, at=where, side=6), i))
    copy = cv2.imread(str(root / "train/left/2.png"))
    save(root / "test/left/copy.jpg", noisy(cv2.convertScaleAbs(copy, alpha=1.05), 99))
    pairs, limit = found(root)
    assert LEAST <= limit < MOST, pairs
    assert ("train/left/2.png", "test/left/copy.jpg") in pairs
    # Nothing of one class was taken for the other.
    assert all(one.split("/")[1] == other.split("/")[1] for one, other in pairs)


def test_many_identical_files_of_two_classes_do_not_hide_themselves(good: Path) -> None:
    for i in range(6):
        shutil.copy(good / f"train/cat/{i}.jpg", good / f"train/dog/x{i}.jpg")
    pairs, limit = found(good)
    assert limit == LEAST
    assert pairs == {(f"train/cat/{i}.jpg", f"train/dog/x{i}.jpg") for i in range(6)}


def test_black_files_are_no_copies_of_each_other_unless_identical(good: Path, save) -> None:
    for name, level in (("a", 0), ("b", 1)):
        save(good / f"train/cat/{name}.png", np.full((120, 160, 3), level, np.uint8))
    assert found(good)[0] == set()
    shutil.copy(good / "train/cat/a.png", good / "test/cat/a.png")
    assert found(good)[0] == {("train/cat/a.png", "test/cat/a.png")}


def test_broken_files_are_passed_over(good: Path) -> None:
    for name in ("0", "1"):
        (good / f"train/cat/{name}.jpg").write_bytes(b"no picture")
    # The bytes are the same: that much can be said of them.
    assert found(good)[0] == {("train/cat/0.jpg", "train/cat/1.jpg")}


def test_clips_are_compared_in_the_order_of_their_frames(tmp_path: Path, scene, save_clip) -> None:
    root = tmp_path / "clips"

    def going(seed: int, frames: int = 24):
        return [scene(seed, at=(40, 4 + 5 * i)) for i in range(frames)]

    for split in ("train", "val", "test"):
        for c, name in enumerate(("away", "toward")):
            for i in range(2):
                seed = 10 * ("train", "val", "test").index(split) + 4 * c + i
                save_clip(root / split / name / f"{i}.avi", going(seed))
    smaller = [cv2.resize(f, (112, 84), interpolation=cv2.INTER_AREA) for f in going(0)]
    save_clip(root / "test/away/copy.mp4", smaller)
    save_clip(root / "test/toward/back.avi", going(1)[::-1])
    assert found(root)[0] == {("train/away/0.avi", "test/away/copy.mp4")}
