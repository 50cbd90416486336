"""A Raspberry Pi camera through rpicam-vid (libcamera-vid before 2023), as a program of its own."""

from __future__ import annotations

import shutil

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import camera_number, has_scheme
from edgecrnn.runtime.sources._child import Child, check_size
from edgecrnn.runtime.sources._split import Jpegs

WHAT = "rpicam:N"
PROGRAMS = ("rpicam-vid", "libcamera-vid")
_MEND = "check the ribbon cable; rpicam-hello --list-cameras shows what is connected"


def matches(spec: str) -> bool:
    """`rpicam:` and a camera's number."""
    return has_scheme(spec, "rpicam")


def open_source(spec: str, settings: SourceSettings) -> Child:
    """Start it with the size and rate of the settings and wait for a first frame.

    Raises:
        EdgecrnnError: no such program, or it gives no frame, or one of another size.
    """
    number = camera_number(spec)
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise EdgecrnnError(
            f"{spec}: expected {' or '.join(PROGRAMS)} on this machine, got neither; "
            "sudo apt install rpicam-apps-lite"
        )
    words = command(program, number, settings)
    return check_size(Child(spec, words, Jpegs(), settings.timeout, _MEND), settings)


def command(program: str, number: int, settings: SourceSettings) -> list[str]:
    """The camera's JPEGs on standard output, each as soon as it is there, without an end."""
    words = [program, "--camera", str(number), "--codec", "mjpeg", "--timeout", "0"]
    words += ["--nopreview", "--flush"]
    if size := settings.wanted_size:
        words += ["--width", str(size[0]), "--height", str(size[1])]
    if settings.rate:
        words += ["--framerate", f"{settings.rate:g}"]
    return [*words, "--output", "-"]
