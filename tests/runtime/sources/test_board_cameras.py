"""Cameras of boards: the programs that are started for them, and real GStreamer pipelines.

The cameras themselves are unproven: no board is here.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import gstreamer, jetson, open_source, rpicam

CAMERA = Path(__file__).with_name("child_camera.py")
PATIENT = SourceSettings(timeout=20.0)
needs_gstreamer = pytest.mark.skipif(
    shutil.which("gst-launch-1.0") is None, reason="needs gstreamer1.0-tools"
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(programs: Path, name: str, *steps: str) -> None:
    """A stand-in for a board's program: its words go to a file, its frames come from a script."""
    script = shlex.join([sys.executable, str(CAMERA), *steps])
    (programs / name).write_text(f'#!/bin/sh\necho "$*" > {programs}/words\nexec {script}\n')
    (programs / name).chmod(0o755)


def test_what_rpicam_vid_is_told(programs: Path) -> None:
    install(programs, "libcamera-vid", "blue", "hang")
    open_source("rpicam:", PATIENT).close()
    install(programs, "rpicam-vid", "red", "hang")
    settings = SourceSettings(size="64x48", rate=12.5, timeout=20.0)
    source = open_source("rpicam:1", settings)
    assert (source.name, source.live) == ("rpicam:1", True)
    assert source.about == "MJPEG 64x48 from rpicam-vid"
    frame = source.read()
    assert frame is not None and frame.image[..., 2].mean() > 150
    source.close()
    assert (programs / "words").read_text().split() == [
        *("--camera", "1", "--codec", "mjpeg", "--timeout", "0", "--nopreview", "--flush"),
        *("--width", "64", "--height", "48", "--framerate", "12.5", "--output", "-"),
    ]
    assert rpicam.command("rpicam-vid", 0, SourceSettings())[-3:] == ["--flush", "--output", "-"]


def test_a_camera_that_gives_another_size_is_refused(programs: Path) -> None:
    install(programs, "rpicam-vid", "red", "hang")
    with pytest.raises(EdgecrnnError, match="rpicam:0: expected 640x480, got 64x48"):
        open_source("rpicam:0", SourceSettings(size="640x480", timeout=20.0))


def test_a_camera_that_is_not_connected_is_told(programs: Path) -> None:
    word = "say:ERROR: *** no cameras available ***"
    install(programs, "rpicam-vid", word, "say:closing", "exit:255")
    with pytest.raises(EdgecrnnError, match=r"no cameras available.*check the ribbon cable"):
        open_source("rpicam:0", PATIENT)


def test_what_a_jetson_is_told() -> None:
    words, size = jetson.pipeline(1, SourceSettings(size="640x480", rate=29.97))
    assert size == (640, 480)
    assert " ".join(words) == (
        "nvarguscamerasrc sensor-id=1 "
        "! video/x-raw(memory:NVMM),width=640,height=480,format=NV12,framerate=2997/100 "
        "! nvvidconv ! video/x-raw,format=BGRx,width=640,height=480 ! fdsink fd=1"
    )
    words, size = jetson.pipeline(0, SourceSettings())
    assert size == (1280, 720) and "framerate=30/1" in words[3]


def test_what_a_pipeline_becomes() -> None:
    words, size = gstreamer.pipeline("v4l2src device='/dev/my cam' !", SourceSettings())
    assert size is None
    assert words == [
        *("v4l2src", "device=/dev/my cam", "!", "videoconvert"),
        *("!", "jpegenc", "quality=95", "!", "fdsink", "fd=1"),
    ]
    whole = "videotestsrc ! jpegenc ! fdsink fd=1"
    assert gstreamer.pipeline(whole, SourceSettings(size="8x8")) == (whole.split(), None)


@needs_gstreamer
@pytest.mark.parametrize(
    ("line", "settings", "about"),
    [
        ("{} ! video/x-raw,width=162,height=121", PATIENT, "MJPEG 162x121"),
        ("{}", SourceSettings(size="63x47", timeout=20.0), "raw bgr0 63x47"),
        (
            "{} ! video/x-raw,width=96,height=64 ! jpegenc ! multipartmux ! fdsink fd=1",
            PATIENT,
            "MJPEG 96x64",
        ),
    ],
)
def test_a_real_pipeline(line: str, settings: SourceSettings, about: str) -> None:
    red = line.format("videotestsrc is-live=true pattern=red")
    source = open_source(f"gstreamer:{red}", settings)
    assert source.about == f"{about} from gst-launch-1.0"
    frames = [source.read() for _ in range(3)]
    source.close()
    for frame in frames:
        assert frame is not None
        # Sheared rows or swapped colours would show at the edges.
        for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            blue, green, red_part = frame.image[row, column].astype(int)
            assert red_part > 235 and blue < 20 and green < 20


@needs_gstreamer
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("videotestsrc ! nosuchthing", 'no element "nosuchthing"'),
        ("v4l2src device=/dev/video97", "Cannot identify device '/dev/video97'"),
        ("videotestsrc ! fakesink ! fdsink", "its last word"),
    ],
)
def test_a_pipeline_that_is_none_is_told(line: str, sentence: str) -> None:
    with pytest.raises(EdgecrnnError, match=sentence):
        open_source(f"gstreamer:{line}", PATIENT)


@needs_gstreamer
def test_a_jetson_pipeline_elsewhere_names_what_lacks() -> None:
    with pytest.raises(EdgecrnnError, match=r'jetson:0: .*no element "nvarguscamerasrc"'):
        open_source("jetson:0", PATIENT)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("rpicam:0", "expected rpicam-vid or libcamera-vid .* sudo apt install rpicam-apps"),
        ("jetson:0", "expected gst-launch-1.0 .* sudo apt install gstreamer1.0-tools"),
        ("gstreamer:videotestsrc", "expected gst-launch-1.0 .* sudo apt install gstreamer1.0-too"),
        ("gstreamer:", "expected gstreamer:PIPELINE.*got none"),
        ("gstreamer: ! ", "expected gstreamer:PIPELINE.*got none"),
        ("gstreamer:x 'y", "no closing quotation"),
        ("rpicam:left", "expected rpicam:N with a camera's number, got 'rpicam:left'"),
        ("rpicam:/dev/video0", "expected rpicam:N"),
        ("jetson:-1", "expected jetson:N with a camera's number, got 'jetson:-1'"),
    ],
)
def test_what_is_not_there_is_told(programs: Path, spec: str, sentence: str) -> None:
    with pytest.raises(EdgecrnnError, match=sentence):
        open_source(spec, PATIENT)
