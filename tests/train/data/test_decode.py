from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.preprocess import Preprocessing, prepare
from edgecrnn.train.data.decode import (
    BadFileError,
    native_rate,
    quiet,
    read_clip,
    read_picture,
    resample,
)


def levels(path: Path, small: Preprocessing, rate: float | None) -> list[int]:
    """Which frame each decoded frame was: frame i is a grey of 8 * i."""
    return [round(float(f[8:, 8:].mean()) / 8) for f in read_clip(path, small, rate)]


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "JPG", "png", "bmp", "webp"])
def test_pictures_go_through_the_one_preprocessing(tmp_path, write_picture, suffix) -> None:
    path = write_picture(tmp_path / f"a.{suffix}")
    how = Preprocessing(height=16, width=24, color="gray", fit="pad")
    assert np.array_equal(read_picture(path, how), prepare(cv2.imread(str(path)), how))


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_truncated_picture_is_bad(tmp_path, write_picture, small, suffix, share) -> None:
    path = write_picture(tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(BadFileError, match="truncated" if share else "empty"):
        read_picture(path, small)


def test_what_is_no_picture_is_bad(tmp_path, small, capfd) -> None:
    path = tmp_path / "a.png"
    path.write_text("not a picture")
    with quiet(), pytest.raises(BadFileError, match="not a picture"):
        read_picture(path, small)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["mp4", "avi", "mkv", "mov"])
def test_every_frame_of_a_clip(tmp_path, write_clip, small, suffix) -> None:
    path = write_clip(tmp_path / f"a.{suffix}", frames=20, rate=10)
    assert native_rate(path) == pytest.approx(10)
    assert levels(path, small, None) == list(range(20))
    assert levels(path, small, 10) == list(range(20))


def test_a_higher_rate_invents_nothing(tmp_path, write_clip, small) -> None:
    path = write_clip(tmp_path / "a.avi", frames=12, rate=5)
    assert levels(path, small, 30) == list(range(12))


def test_a_lower_rate_takes_the_nearest_frames(tmp_path, write_clip, small) -> None:
    path = write_clip(tmp_path / "a.avi", frames=25, rate=25)
    # Ticks at 0, 0.1, 0.2 s ... are frames 0, 2.5, 5 ...; of two as near the earlier.
    assert levels(path, small, 10) == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]
    assert levels(path, small, 12.5) == list(range(0, 25, 2))


def test_numbered_pictures_are_a_clip(tmp_path, small) -> None:
    for i in range(12):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((20, 20, 3), 8 * i, np.uint8))
    assert levels(tmp_path, small, 3) == list(range(12))
    (tmp_path / "5.png").write_bytes(b"")
    with pytest.raises(BadFileError, match=r"5\.png: empty"):
        list(read_clip(tmp_path, small, 3))


@pytest.mark.parametrize("suffix", ["mp4", "avi", "mkv", "mov"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.8])
def test_a_truncated_clip_is_bad(tmp_path, small, suffix, share) -> None:
    path = noisy_clip(tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with quiet(), pytest.raises(BadFileError):
        list(read_clip(path, small, 10))


def test_a_clip_truncated_behind_its_index_is_bad(tmp_path, small) -> None:
    """An mp4 made for the web has its index in front and opens when cut."""
    path = index_in_front(noisy_clip(tmp_path / "a.mp4"))
    assert len(list(read_clip(path, small, None))) == 40
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    with quiet(), pytest.raises(BadFileError, match=r"truncated: [0-9]+ of 40 frames"):
        list(read_clip(path, small, None))


def test_bad_clips_print_nothing(tmp_path, small, capfd) -> None:
    path = noisy_clip(tmp_path / "a.avi")
    path.write_bytes(path.read_bytes()[:3000])
    with quiet(), pytest.raises(BadFileError):
        list(read_clip(path, small, None))
    assert capfd.readouterr().err == ""


@given(
    st.lists(st.floats(0.001, 0.5), min_size=1, max_size=40),
    st.floats(0.5, 60),
    st.floats(-5, 5),
)
def test_resampling_takes_the_nearest_and_none_twice(
    gaps: list[float], rate: float, start: float
) -> None:
    times = (start + np.cumsum(gaps)).tolist()
    frames = [(t, np.zeros(0, np.uint8)) for t in times]
    taken = [t for t, _ in resample(iter(frames), rate)]
    assert taken == sorted(set(taken)) and taken[0] == times[0]
    ticks = times[0] + np.arange(0, times[-1] - times[0] + 2e-6, 1 / rate)
    apart = np.abs(np.array(times) - ticks[:, None])
    # Every tick's nearest frame was taken, and nothing else was.
    for row in apart:
        assert min(abs(t - times[int(row.argmin())]) for t in taken) < 3e-6 or (
            min(row[times.index(t)] for t in taken) < row.min() + 3e-6
        )
    assert all((apart[:, times.index(t)] < apart.min(axis=1) + 3e-6).any() for t in taken)


def noisy_clip(path: Path) -> Path:
    """40 frames of noise: large enough that a cut falls inside the frames."""
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10.0, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(40):
        writer.write(rng.integers(0, 255, (48, 64, 3), np.uint8))
    writer.release()
    assert path.stat().st_size > 20_000, os.fspath(path)
    return path


def index_in_front(path: Path) -> Path:
    """Move the moov box before mdat and correct the chunk offsets in it."""
    data, boxes, place = path.read_bytes(), {}, 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        boxes[data[place + 4 : place + 8]] = data[place : place + size]
        place += size
    moov = bytearray(boxes[b"moov"])
    table = moov.index(b"stco") + 8
    count = int.from_bytes(moov[table : table + 4], "big")
    for i in range(table + 4, table + 4 + 4 * count, 4):
        moved = int.from_bytes(moov[i : i + 4], "big") + len(moov)
        moov[i : i + 4] = moved.to_bytes(4, "big")
    rest = b"".join(box for name, box in boxes.items() if name not in (b"ftyp", b"moov"))
    path.write_bytes(boxes[b"ftyp"] + bytes(moov) + rest)
    return path
