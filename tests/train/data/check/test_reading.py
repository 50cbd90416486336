from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.train.data.check import reading as module
from edgecrnn.train.data.check.reading import CLIP_FRAMES, frames_at, read_all, spread_places
from edgecrnn.train.data.decode import BadFileError
from edgecrnn.train.data.layout import Item


def read(path: Path, kind: str):
    (one,) = read_all([Item(path, 0, "train", "digest")], kind)
    return one


def test_a_picture(tmp_path: Path, scene, save) -> None:
    one = read(save(tmp_path / "a.png", scene(0)), "pictures")
    assert (one.error, one.width, one.height, one.times) == ("", 160, 120, (0.0,))
    assert one.thumbnails.shape == (1, 32, 32) and one.blank == 0 and not one.frozen


def test_a_clip(tmp_path: Path, scene, save_clip) -> None:
    path = save_clip(tmp_path / "a.avi", [scene(i) for i in range(20)], rate=5)
    one = read(path, "clips")
    assert (one.width, one.height, one.rate, one.sizes) == (160, 120, 5.0, 1)
    assert one.times == pytest.approx([i / 5 for i in range(20)])
    shown = [cv2.cvtColor(f, cv2.COLOR_BGR2GRAY) for f in frames_at(path, [1, 3, 6, 8, 11, 13])]
    small = [cv2.resize(f, (32, 32), interpolation=cv2.INTER_AREA) for f in shown]
    assert np.array_equal(one.thumbnails[:6], small)


def test_a_clip_longer_than_what_is_held(tmp_path: Path, scene, save_clip, monkeypatch) -> None:
    path = save_clip(tmp_path / "a.avi", [scene(i) for i in range(50)])
    whole = read(path, "clips").thumbnails
    monkeypatch.setattr(module, "_MOST_HELD", 16)
    thinned = read(path, "clips").thumbnails
    assert thinned.shape == whole.shape
    # With 16 held every fourth frame is: 0, 4, 8, 12...
    assert np.array_equal(
        thinned, [cv2.resize(cv2.cvtColor(f, cv2.COLOR_BGR2GRAY), (32, 32),
                             interpolation=cv2.INTER_AREA)
                  for f in frames_at(path, [p // 4 * 4 for p in spread_places(50, 8).tolist()])]
    )  # fmt: skip


def test_a_clip_of_fewer_frames_than_are_compared(tmp_path: Path, scene, save_clip) -> None:
    one = read(save_clip(tmp_path / "a.avi", [scene(0), scene(1), scene(2)]), "clips")
    assert len(one.times) == 3 and len(one.thumbnails) == CLIP_FRAMES


def test_numbered_pictures_are_a_clip(tmp_path: Path, scene, save) -> None:
    for i in range(12):
        save(tmp_path / "clip" / f"{i}.png", scene(i))
    one = read(tmp_path / "clip", "clips")
    assert len(one.times) == 12 and one.rate is None and len(one.thumbnails) == CLIP_FRAMES


def test_black_flat_and_frozen(tmp_path: Path, scene, save, save_clip) -> None:
    black = np.random.default_rng(0).integers(0, 12, (120, 160, 3)).astype(np.uint8)
    assert read(save(tmp_path / "black.png", black), "pictures").blank == 1
    grey = np.full((120, 160, 3), 128, np.uint8)
    assert read(save(tmp_path / "grey.png", grey), "pictures").blank == 1
    half = save_clip(tmp_path / "half.avi", [grey] * 5 + [scene(i) for i in range(5)])
    assert read(half, "clips").blank == 0.5
    still = read(save_clip(tmp_path / "still.avi", [scene(0)] * 9), "clips")
    assert still.frozen and still.blank == 0


def test_broken_files_say_why(tmp_path: Path, scene, save, save_clip) -> None:
    picture = save(tmp_path / "a.jpg", scene(0))
    picture.write_bytes(picture.read_bytes()[:900])
    assert read(picture, "pictures").error == "truncated"
    clip = save_clip(tmp_path / "a.mp4", [scene(i) for i in range(20)])
    clip.write_bytes(clip.read_bytes()[:2000])
    assert "truncated" in read(clip, "clips").error
    gone = read(tmp_path / "gone.png", "pictures")
    assert "could not be read" in gone.error and gone.thumbnails is None and not gone.frozen


def test_a_frame_beyond_the_end_is_the_last(tmp_path: Path, scene, save_clip) -> None:
    path = save_clip(tmp_path / "a.avi", [scene(i) for i in range(5)])
    last, beyond = frames_at(path, [4, 99])
    assert np.array_equal(last, beyond)
    (tmp_path / "empty.avi").write_bytes(b"")
    with pytest.raises(BadFileError):
        frames_at(tmp_path / "empty.avi", [0])


def test_progress_and_order(good: Path) -> None:
    items = [Item(path, 0, "train", "") for path in sorted(good.rglob("*.jpg"))]
    calls: list[tuple[int, int]] = []
    readings = read_all(items, "pictures", lambda *call: calls.append(call))
    assert [reading.item for reading in readings] == items
    assert calls == [(i, len(items)) for i in range(1, len(items) + 1)]
