"""Videos, pictures and folders of pictures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, Source, SourceSettings
from edgecrnn.runtime.sources import open_source

SETTINGS = SourceSettings()
Jpeg = Callable[..., bytes]


def frames_of(source: Source) -> list[Frame]:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def colors(frames: list[Frame]) -> list[str]:
    return [("blue", "green", "red")[int(f.image.mean((0, 1)).argmax())] for f in frames]


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4", "a clip, 100 % ünusual.avi"])
def test_a_video_gives_every_frame_at_its_media_time(
    write_video: Callable[..., Path], name: str
) -> None:
    given = ["red"] * 5 + ["green"] * 5 + ["blue"] * 5
    source = open_source(str(write_video(given, 12.5, name)), SETTINGS)
    assert not source.live
    assert source.about == "video 64x48, 12.5 frames/s"
    frames = frames_of(source)
    assert colors(frames) == given
    assert [f.index for f in frames] == list(range(15))
    assert [f.time for f in frames] == pytest.approx([i / 12.5 for i in range(15)], abs=1e-3)
    assert source.notes == ()


def test_a_video_that_ends_early_says_so(write_video: Callable[..., Path]) -> None:
    path = write_video(["red"] * 60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = open_source(str(path), SETTINGS)
    frames = frames_of(source)
    assert 10 < len(frames) < 50
    assert f"ended after {len(frames)} of 60 frames" in source.notes[0]


def test_a_picture_is_one_frame(tmp_path: Path, jpeg: Jpeg) -> None:
    path = tmp_path / "PICTURE.JPG"
    path.write_bytes(jpeg("green"))
    source = open_source(str(path), SETTINGS)
    assert source.about == "picture 64x48"
    (frame,) = frames_of(source)
    assert (colors([frame]), frame.index, frame.time) == (["green"], 0, 0.0)


def test_a_gray_picture_comes_in_color(tmp_path: Path) -> None:
    path = tmp_path / "gray.png"
    cv2.imwrite(str(path), np.full((8, 9), 7, np.uint8))
    (frame,) = frames_of(open_source(str(path), SETTINGS))
    assert frame.image.shape == (8, 9, 3)


def test_a_folder_comes_in_natural_order(tmp_path: Path, jpeg: Jpeg) -> None:
    for number, color in ((10, "blue"), (9, "green"), (1, "red")):
        (tmp_path / f"frame{number}.jpg").write_bytes(jpeg(color))
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path), SourceSettings(rate=5.0))
    assert (source.live, source.rate) == (False, 5.0)
    assert source.about == "folder of 3 pictures, the first 64x48"
    frames = frames_of(source)
    assert colors(frames) == ["red", "green", "blue"]
    assert [f.time for f in frames] == [0.0, 0.2, 0.4]


def test_a_folder_leaves_out_what_is_damaged_and_tells(tmp_path: Path, jpeg: Jpeg) -> None:
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg("red"))
    (tmp_path / "1.jpg").write_bytes(jpeg("red")[:300])
    (tmp_path / "2.jpg").write_bytes(b"")
    source = open_source(str(tmp_path), SETTINGS)
    assert [f.index for f in frames_of(source)] == [0, 3]
    assert "1.jpg" in source.notes[0]
    assert "truncated" in source.notes[0]
    assert "2.jpg" in source.notes[1]
    assert "empty" in source.notes[1]


def test_what_is_not_there_or_is_no_video(tmp_path: Path, jpeg: Jpeg) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video" * 100)
    half = tmp_path / "half.jpg"
    half.write_bytes(jpeg("red")[:300])
    other = tmp_path / "other.png"
    other.write_bytes(b"no picture")
    empty = tmp_path / "empty"
    empty.mkdir()
    bad = tmp_path / "bad"
    bad.mkdir()
    shutil.copy(half, bad)
    for spec, sentence in (
        (tmp_path / "no.mp4", "expected a video file, got nothing there"),
        (tmp_path / "no.jpg", "expected a picture, got no such file"),
        (text, "expected a video, got a file that holds no frame"),
        (half, "expected a whole jpg picture, got a truncated one"),
        (other, "expected a whole png picture, got another"),
        (empty, "expected a folder with pictures .*found none in it"),
        (bad, "none of the 1 can be read: .*half.jpg.*truncated"),
    ):
        with pytest.raises(EdgecrnnError, match=sentence):
            open_source(str(spec), SETTINGS)


def test_opencv_and_ffmpeg_keep_quiet(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    # FFmpeg takes its level once a process.
    code = (
        "import sys; from edgecrnn.runtime.sources import open_source as o, SourceSettings as S\n"
        "from edgecrnn.runtime.errors import EdgecrnnError as E\n"
        "try: o(sys.argv[1], S())\nexcept E: print('refused')"
    )
    command = [sys.executable, "-c", code, str(broken)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_a_file_may_look_like_a_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video: Callable[..., Path]
) -> None:
    write_video(["red"], name="strange:name.avi")
    monkeypatch.chdir(tmp_path)
    assert len(frames_of(open_source("strange:name.avi", SETTINGS))) == 1
