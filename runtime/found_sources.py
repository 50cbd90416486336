"""What this machine has that frames can come from, and how each is written as --source."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from edgecrnn.runtime import v4l2
from edgecrnn.runtime.sources.picamera2 import python_with_picamera2
from edgecrnn.runtime.sources.rpicam import PROGRAMS

_LONGEST = 15.0  # seconds that a program may take to list its cameras
# "0 : imx708 [4608x2592 10-bit RGGB] (/base/...)"
_LISTED = re.compile(r"^\s*(\d+)\s*:\s*(\S+)(?:\s*\[([^\]]*)\])?", re.MULTILINE)
_VERSION = re.compile(r"version (\S+)")


@dataclass(frozen=True)
class Found:
    """One thing that is here, or that is not.

    `source` is what stands behind --source; `details` are for a person; `here` is False for what
    could be installed, and `details` say how.
    """

    source: str
    name: str
    details: tuple[str, ...]
    here: bool = True


def found_sources() -> list[Found]:
    """Cameras first, then programs that give frames, then what every machine reads."""
    return [*_cameras(), *_board_cameras(), *_programs(), *_anywhere()]


def _cameras() -> Iterator[Found]:
    cameras = v4l2.cameras()
    for camera in cameras:
        if camera.error:
            mend = " (add the user to the group video)" if "permission" in camera.error else ""
            details: tuple[str, ...] = (f"cannot be asked: {camera.error}{mend}",)
        else:
            details = tuple(f"{f.pixels}: {', '.join(f.sizes) or 'any'}" for f in camera.formats)
        yield Found(camera.path, camera.name or "camera", details)
    if not cameras:
        yield Found("/dev/videoN", "V4L2 camera", ("none is connected",), here=False)


def _board_cameras() -> Iterator[Found]:
    listed = listed_cameras()
    vid = next(filter(None, map(shutil.which, PROGRAMS)), None)
    python = python_with_picamera2()
    if vid is None:
        yield Found("rpicam:N", "rpicam-vid", ("sudo apt install rpicam-apps-lite",), here=False)
    if python is None:
        install = ("sudo apt install python3-picamera2",)
        yield Found("picamera2:N", "picamera2", install, here=False)
    for kind, there in (("rpicam", vid), ("picamera2", python)):
        for number, name, mode in listed if there else ():
            yield Found(f"{kind}:{number}", name, (mode,) if mode else ())
        if there and not listed:
            yield Found(f"{kind}:N", kind, ("no camera is connected",), here=False)


def listed_cameras() -> list[tuple[int, str, str]]:
    """(number, name, full size) of each camera that rpicam-hello lists."""
    programs = (shutil.which(p.replace("-vid", "-hello")) for p in PROGRAMS)
    program = next(filter(None, programs), None)
    text = _output([program, "--list-cameras"]) if program else ""
    return [(int(number), name, mode) for number, name, mode in _LISTED.findall(text)]


def _programs() -> Iterator[Found]:
    launch = shutil.which("gst-launch-1.0")
    if launch:
        version = _VERSION.search(_output([launch, "--version"]))
        yield Found("gstreamer:PIPELINE", "GStreamer", (version[1],) if version else ())
        inspect = shutil.which("gst-inspect-1.0")
        if inspect and _output([inspect, "nvarguscamerasrc"]):
            yield Found("jetson:N", "nvarguscamerasrc", ("cameras on the CSI ports, from 0",))
    else:
        install = ("sudo apt install gstreamer1.0-tools gstreamer1.0-plugins-good",)
        yield Found("gstreamer:PIPELINE", "GStreamer", install, here=False)
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg:
        version = _VERSION.search(_output([ffmpeg, "-version"]))
        yield Found("exec:ffmpeg ... -f mjpeg -", "ffmpeg", (version[1],) if version else ())


def _anywhere() -> Iterator[Found]:
    yield Found("exec:COMMAND", "any program", ("writes JPEGs to standard output",))
    yield Found("PATH", "file or folder", ("video, picture, folder of pictures",))
    yield Found("http(s)://...", "MJPEG", ("a network camera's stream of pictures",))
    yield Found("rtsp://...", "RTSP", ("a network camera's video",))


def _output(words: list[str]) -> str:
    """What a program prints; nothing where it fails or hangs."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout.decode(errors="replace")
