"""A camera through V4L2, by index or as /dev/videoN."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.opencv import LiveCapture
from edgecrnn.runtime.sources import is_camera
from edgecrnn.runtime.sources.folder import natural_order

WHAT = "a camera's index (0) or /dev/videoN"
_FORMATS = "v4l2-ctl --list-formats-ext shows what it has"


def matches(spec: str) -> bool:
    """A number, or /dev/video and a number."""
    return is_camera(spec)


def open_source(spec: str, settings: SourceSettings) -> LiveCapture:
    """Ask the camera for the format, size and rate of the settings; `about` says what it gives.

    Raises:
        EdgecrnnError: no such camera, one that may not be opened, gives no frame, or gives
            another size than the one asked for.
    """
    device = Path("/dev/video" + spec.removeprefix("/dev/video"))
    _check_device(device)
    # The format first: drivers offer sizes and rates by format.
    params: list[int] = []
    if settings.pixels:
        params += [cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*settings.pixels)]
    wanted = settings.wanted_size
    if wanted:
        params += [cv2.CAP_PROP_FRAME_WIDTH, wanted[0], cv2.CAP_PROP_FRAME_HEIGHT, wanted[1]]
    if settings.rate:
        params += [cv2.CAP_PROP_FPS, round(settings.rate)]
    mend = "check that it is plugged in and that no other program uses it"
    capture = LiveCapture(str(device), str(device), cv2.CAP_V4L2, params, settings.timeout, mend)
    if wanted and capture.size != wanted:
        came = f"{capture.size[0]}x{capture.size[1]}"
        capture.close()
        raise EdgecrnnError(f"{device}: expected {settings.size}, got {came}; {_FORMATS}")
    return capture


def _check_device(device: Path) -> None:
    if not device.exists():
        names = sorted((str(p) for p in Path("/dev").glob("video[0-9]*")), key=natural_order)
        there = f"there are {', '.join(names)}" if names else "there is no /dev/video* at all"
        raise EdgecrnnError(
            f"{device}: expected a camera, got nothing there; {there}; "
            "plug it in or choose another --source"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise EdgecrnnError(
            f"{device}: expected a camera that may be opened, got permission denied; "
            "add the user to the group video"
        )
