"""Live sources through OpenCV, none of whose own words is taken as proof."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import cv2

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, as_image
from edgecrnn.runtime.freshness import Freshness

# Seen with OpenCV 4.14 and 5.0: after a stall `read()` blocks for its time-out, then says ok and
# hands over an old frame. A read that took this share of the time-out has failed, whatever it says.
_STALE = 0.9
# Seconds that a frame may be late. After a stall TCP hands over all that was sent meanwhile.
_LATE = 0.5

# OpenCV 5 moved its logging; the levels are the same.
LOGGING: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
SILENT = 0


def quiet(seconds: float | None = None) -> None:
    """Keep OpenCV, FFmpeg and V4L2 off standard error: what goes wrong is told in a sentence.

    Args:
        seconds: V4L2's time-out, which OpenCV takes from the environment alone.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if seconds is not None:
        os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(max(1, round(seconds)))
    LOGGING.setLogLevel(SILENT)


class LiveCapture:
    """A `cv2.VideoCapture` that has proved itself with a first frame.

    Args:
        name: for sentences; no passwords.
        target: what `cv2.VideoCapture` opens.
        backend: one of OpenCV's CAP_ constants.
        params: its parameters as pairs in a row.
        timeout: seconds that opening and reading may take.
        mend: what the person can do where it gives no frame.

    Raises:
        EdgecrnnError: it gave no frame.
    """

    live = True
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        target: str | int,
        backend: int,
        params: Sequence[int],
        timeout: float,
        mend: str,
    ):
        self.name = name
        self._timeout = timeout
        self._count = 0
        self._first: Frame | None = None
        quiet(timeout)
        # FFmpeg keeps what it looked at to open a stream, up to seconds of it, and hands that over
        # first, at once.
        self._drain_until = time.monotonic() + timeout if backend == cv2.CAP_FFMPEG else 0.0
        self._freshness = Freshness() if backend == cv2.CAP_FFMPEG else None
        self._capture = cv2.VideoCapture(target, backend, list(params))
        try:
            first = self.read()
        except EdgecrnnError:
            self.close()
            raise
        if first is None:
            self.close()
            raise EdgecrnnError(f"{name}: expected a first frame, got none; {mend}")
        self._first = first
        stated = self._capture.get(cv2.CAP_PROP_FPS)
        # 1000 and more is what OpenCV computes from a missing rate.
        self.rate = stated if 0 < stated < 1000 else None
        self.size = (first.image.shape[1], first.image.shape[0])

    @property
    def about(self) -> str:
        """Format, size and rate as read back."""
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        letters = "".join(chr(code >> shift & 0x7F) for shift in (0, 8, 16, 24))
        shape = f"{self.size[0]}x{self.size[1]}"
        rate = f"{self.rate:g} frames/s stated" if self.rate else "no rate stated"
        return f"{letters} {shape}, {rate}" if letters.isprintable() else f"{shape}, {rate}"

    def read(self) -> Frame | None:
        """The next frame that can be believed; None when it gives no more.

        Raises:
            EdgecrnnError: none came within the time-out.
        """
        if self._first is not None:
            held, self._first = self._first, None
            return held
        deadline = time.monotonic() + self._timeout
        while True:
            began = time.monotonic()
            grabbed = self._capture.grab()
            captured = time.monotonic()
            failed = captured - began >= _STALE * self._timeout
            # A V4L2 camera that stalls gives nothing after its time-out; one that is gone, at once.
            if not grabbed and not failed:
                return None
            index, self._count = self._count, self._count + 1
            late, kept = 0.0, False
            if self._freshness is not None and not failed:
                stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                late = self._freshness.late(stamp, captured)
                kept = self._freshness.hurries and captured < self._drain_until
            if failed or (late > _LATE and captured > deadline):
                got = "got none" if failed else f"got frames that are {late:.1f} s late"
                raise EdgecrnnError(
                    f"{self.name}: expected a frame within {self._timeout:g} s, {got}; "
                    "check the camera and the network, or raise --timeout"
                )
            if late > _LATE or kept:
                continue
            self._drain_until = 0.0
            ok, image = self._capture.retrieve()
            if not ok or not image.size:
                return None
            return Frame(as_image(image), index, captured, captured)

    def close(self) -> None:
        """Let go of the device or connection."""
        self._capture.release()
