"""A camera program for tests: writes frames to standard output, with the faults that such have.

    python child_camera.py WHAT ...

each WHAT in order: a colour (one JPEG of it), `raw:COLOR` (its bytes as bgr24), `half:COLOR`,
`garbage`, `text:...`, `sleep:SECONDS`, `say:WORDS` (on standard error), `exit:CODE`, `hang`,
`stubborn` (SIGTERM is ignored from here on), `child:FILE` (a process of its own that hangs; its
number is written there), `loop` (begin again).
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

COLORS = ("blue", "green", "red")


def _image(color: str) -> npt.NDArray[np.uint8]:
    image = np.random.default_rng(0).integers(0, 30, (48, 64, 3), np.uint8)
    image[..., COLORS.index(color)] += 200
    return image


def _jpeg(color: str) -> bytes:
    return cv2.imencode(".jpg", _image(color))[1].tobytes()


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def main(script: list[str]) -> int:
    """Do what it says."""
    for step in itertools.chain.from_iterable(itertools.repeat(script)):
        word, _, rest = step.partition(":")
        if word in COLORS:
            _write(_jpeg(word))
        elif word == "raw":
            _write(_image(rest).tobytes())
        elif word == "half":
            _write(_jpeg(rest)[:-200])
        elif word == "garbage":
            _write(np.random.default_rng(1).integers(0, 256, 3000, np.uint8).tobytes())
        elif word == "text":
            _write(rest.encode())
        elif word == "sleep":
            time.sleep(float(rest))
        elif word == "say":
            print(rest, file=sys.stderr, flush=True)
        elif word == "exit":
            return int(rest)
        elif word == "hang":
            time.sleep(600)
        elif word == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        elif word == "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            Path(rest + ".new").write_text(str(child.pid))
            os.replace(rest + ".new", rest)
        elif word == "loop":
            continue
    return 0


if __name__ == "__main__":
    steps = sys.argv[1:]
    sys.exit(main(steps if steps[-1] == "loop" else [*steps, "exit:0"]))
