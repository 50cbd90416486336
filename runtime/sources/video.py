"""A video file, each frame at its media time."""

from __future__ import annotations

import time
from pathlib import Path

import cv2

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, SourceSettings, as_image
from edgecrnn.runtime.opencv import quiet
from edgecrnn.runtime.pictures import PICTURES
from edgecrnn.runtime.sources import is_folder, is_path, is_there

WHAT = "a video file"
_MISSING = 0.05  # share of the announced frames below which nothing is said


class Video:
    """The frames of a file in order, none left out."""

    live = False

    def __init__(self, path: Path):
        self.name = str(path)
        if not is_there(path):
            raise EdgecrnnError(f"{path}: expected a video file, got nothing there; check the path")
        quiet()
        # FFmpeg would take a colon in a relative path for a protocol.
        self._capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
        self._count, self._time, self._ended = 0, 0.0, False
        stated = self._capture.get(cv2.CAP_PROP_FPS)
        # 1000 and more is what OpenCV computes from a missing rate.
        self.rate = stated if 0 < stated < 1000 else None
        self._announced = max(0.0, self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._first = self._next()
        if self._first is None:
            self.close()
            raise EdgecrnnError(
                f"{path}: expected a video, got a file that holds no frame that can be decoded; "
                "it may be damaged or of another kind"
            )
        height, width = self._first.image.shape[:2]
        rate = f"{self.rate:g} frames/s" if self.rate else "no rate stated"
        self.about = f"video {width}x{height}, {rate}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Says so where the file ended early."""
        if not self._ended or self._count >= self._announced * (1 - _MISSING):
            return ()
        counts = f"{self._count} of {self._announced:.0f} frames"
        return (f"{self.name} ended after {counts}; it may be damaged",)

    def read(self) -> Frame | None:
        """The next frame."""
        if self._first is not None:
            held, self._first = self._first, None
            return held
        return self._next()

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _next(self) -> Frame | None:
        captured = time.monotonic()
        ok, image = self._capture.read()
        if not ok:
            self._ended = True
            return None
        stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._count:
            # Some containers give no times: then the stated rate counts them.
            self._time = stamp if stamp > self._time else self._time + 1 / (self.rate or 25.0)
        else:
            self._time = stamp
        index, self._count = self._count, self._count + 1
        return Frame(as_image(image), index, self._time, captured)


def matches(spec: str) -> bool:
    """Any other path: a video's name may end in anything."""
    return is_path(spec) and not is_folder(spec) and not spec.lower().endswith(PICTURES)


def open_source(spec: str, settings: SourceSettings) -> Video:
    """Open it and read the first frame."""
    return Video(Path(spec))
