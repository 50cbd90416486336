"""Whether a film is all there: OpenCV's writer says nothing when the disk is full."""

from __future__ import annotations

from pathlib import Path

import cv2


def film_frames(
    path: Path, backend: int = cv2.CAP_OPENCV_MJPEG, size: tuple[int, int] | None = None
) -> int:
    """How many frames can be decoded again, of (width, height) where a size is given."""
    capture = cv2.VideoCapture(str(path), backend)
    count = 0
    try:
        while True:
            read, image = capture.read()
            if not read or (size is not None and image.shape[1::-1] != size):
                return count
            count += 1
    finally:
        capture.release()
