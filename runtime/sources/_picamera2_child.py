"""Writes a Raspberry Pi camera's frames to standard output; knows nothing of edgecrnn.

It runs under the Python that has picamera2, which is often the system's and not edgecrnn's own:

    python -c "$(cat _picamera2_child.py)" NUMBER WIDTH HEIGHT [RATE]
"""

from __future__ import annotations

import contextlib
import os
import sys


def main(number: int, width: int, height: int, rate: float | None) -> str:
    """Write bgr24 frames until nobody reads them; the sentence that says why it could not."""
    # libcamera and picamera2 log to standard output, too: that is for frames alone.
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    try:
        from picamera2 import Picamera2  # type: ignore[import-not-found]
    except ImportError as error:
        return f"picamera2 cannot be imported: {error}"
    there = Picamera2.global_camera_info()
    if number >= len(there):
        return f"there are {len(there)} cameras, numbered from 0, and no {number}"
    camera = Picamera2(number)
    controls = {"FrameRate": rate} if rate else {}
    # What it calls RGB888 has blue in its first byte. Without a queue no old frame is handed out.
    config = camera.create_video_configuration(
        main={"size": (width, height), "format": "RGB888"}, controls=controls, queue=False
    )
    camera.configure(config)
    came = tuple(camera.camera_configuration()["main"]["size"])
    if came != (width, height):
        return f"the camera gives {came[0]}x{came[1]} where {width}x{height} was asked for"
    camera.start()
    with contextlib.suppress(BrokenPipeError):
        while True:
            frame = memoryview(camera.capture_array("main").tobytes())
            while frame:
                frame = frame[output.write(frame) :]
    return ""


if __name__ == "__main__":
    number, width, height = map(int, sys.argv[1:4])
    sys.exit(main(number, width, height, float(sys.argv[4]) if sys.argv[4:] else None) or 0)
