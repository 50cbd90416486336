"""A Raspberry Pi camera through the system's picamera2, in a process of its own.

A capture that hangs can be ended then, and edgecrnn's environment need not see system packages.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import camera_number, has_scheme
from edgecrnn.runtime.sources._child import Child
from edgecrnn.runtime.sources._split import Raw

WHAT = "picamera2:N"
_SYSTEM = "/usr/bin/python3"  # where Raspberry Pi OS has it
_SIZE = (640, 480)
_MEND = "check the ribbon cable and that no other program uses the camera"


def matches(spec: str) -> bool:
    """`picamera2:` and a camera's number."""
    return has_scheme(spec, "picamera2")


def open_source(spec: str, settings: SourceSettings) -> Child:
    """Open the camera at the size and rate of the settings and wait for a first frame.

    Raises:
        EdgecrnnError: picamera2 is not there, or the camera gives no frame.
    """
    number = camera_number(spec)
    python = python_with_picamera2()
    if python is None:
        raise EdgecrnnError(
            f"{spec}: expected picamera2 on this machine, got none; "
            "sudo apt install python3-picamera2"
        )
    width, height = size = settings.wanted_size or _SIZE
    code = Path(__file__).with_name("_picamera2_child.py").read_text(encoding="utf-8")
    words = [python, "-c", code, str(number), str(width), str(height)]
    if settings.rate:
        words.append(f"{settings.rate:g}")
    child = Child(spec, words, Raw("bgr24", size), settings.timeout, _MEND)
    child.about = f"raw bgr24 {width}x{height} from picamera2"
    return child


def python_with_picamera2() -> str | None:
    """Python that can import picamera2: this one or the system's; None where neither can."""
    if importlib.util.find_spec("picamera2") is not None:
        return sys.executable
    probe = "import importlib.util as u, sys; sys.exit(u.find_spec('picamera2') is None)"
    try:
        done = subprocess.run([_SYSTEM, "-c", probe], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else _SYSTEM
