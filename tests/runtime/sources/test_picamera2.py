"""picamera2 in a process of its own, with a stand-in for the module: the camera is unproven."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import open_source, picamera2

PATIENT = SourceSettings(size="64x48", rate=20.0, timeout=20.0)
# What the child calls of picamera2, as its manual describes it.
MODULE = """
import time
import numpy as np
print("picamera2 logs on standard output, too")
class Picamera2:
    @staticmethod
    def global_camera_info():
        return [{"Model": "imx708", "Num": 0}]
    def __init__(self, number):
        assert number == 0
    def create_video_configuration(self, main, controls, queue):
        assert main["format"] == "RGB888" and controls == {"FrameRate": 20.0} and queue is False
        return {"main": main}
    def configure(self, config):
        self.main, self.frames = config["main"], 0
    def camera_configuration(self):
        width, height = self.main["size"]
        return {"main": {"size": (width // 32 * 32, height)}}
    def start(self):
        pass
    def capture_array(self, name):
        self.frames += 1
        if self.frames > MOST:
            END
        time.sleep(0.02)
        frame = np.zeros((48, 64, 3), np.uint8)
        frame[..., 0] = 200
        return frame
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], None]:
    """Put the stand-in where Python finds it: gives `most` frames, then does what `end` says."""

    def write(most: int, end: str) -> None:
        text = MODULE.replace("MOST", str(most)).replace("END", end)
        (tmp_path / "picamera2.py").write_text(text)

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    return write


def test_frames_come_as_they_are(module: Callable[[int, str], None]) -> None:
    module(10**6, "pass")
    source = open_source("picamera2:0", PATIENT)
    assert (source.live, source.about) == (True, "raw bgr24 64x48 from picamera2")
    frames = [source.read() for _ in range(5)]
    source.close()
    for frame in frames:
        assert frame is not None
        assert frame.image.reshape(-1, 3).mean(0).tolist() == [200, 0, 0]


def test_a_capture_that_hangs_is_told_in_time(module: Callable[[int, str], None]) -> None:
    module(3, "time.sleep(600)")
    source = open_source("picamera2:", SourceSettings(size="64x48", rate=20.0, timeout=4.0))
    with pytest.raises(EdgecrnnError, match=r"expected a frame within 4 s, got none"):
        while source.read():
            pass
    source.close()


def test_a_capture_that_fails_is_told(module: Callable[[int, str], None]) -> None:
    module(0, "raise RuntimeError('Camera frontend has timed out!')")
    with pytest.raises(EdgecrnnError, match="Camera frontend has timed out"):
        open_source("picamera2:0", PATIENT)


@pytest.mark.parametrize(
    ("spec", "size", "sentence"),
    [
        ("picamera2:1", "64x48", "there are 1 cameras, numbered from 0, and no 1"),
        ("picamera2:0", "70x48", "the camera gives 64x48 where 70x48 was asked for"),
        ("picamera2:x", "64x48", "expected picamera2:N with a camera's number"),
    ],
)
def test_what_is_not_there_is_told(
    module: Callable[[int, str], None], spec: str, size: str, sentence: str
) -> None:
    module(10, "pass")
    with pytest.raises(EdgecrnnError, match=sentence):
        open_source(spec, SourceSettings(size=size, rate=20.0, timeout=20.0))


@pytest.mark.skipif(picamera2.python_with_picamera2() is not None, reason="picamera2 is here")
def test_without_picamera2_the_line_that_installs_it() -> None:
    with pytest.raises(EdgecrnnError, match="got none; sudo apt install python3-picamera2"):
        open_source("picamera2:0", PATIENT)
