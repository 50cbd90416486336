"""Whole frames out of a child's output, however the pipe cuts it into pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import as_image
from edgecrnn.runtime.pictures import decode
from edgecrnn.runtime.settings import nearest

_START = b"\xff\xd8\xff"
# In scan data FF is followed by 00 (stuffing), D0 to D7 (a restart) or FF (fill): else a marker.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_END_OF_IMAGE, _SCAN = 0xD9, 0xDA
# Frame heads and Huffman tables, scan, tables, intervals, application data, comment.
_SEGMENTS = {*range(0xC0, 0xD0), *range(0xDA, 0xDE), *range(0xE0, 0xF0), 0xFE}
# Application data, such as a thumbnail, and comments hold whatever they like.
_FREE = {*range(0xE0, 0xF0), 0xFE}
# Between the scans of a progressive picture.
_IN_SCAN = {0xC4, _SCAN, 0xDB, 0xDC, 0xDD}
_MOST = 32 * 1024 * 1024  # bytes of one picture


class Split(Protocol):
    """Takes bytes as they come and gives whole frames."""

    what: str  # for a person
    bad: int  # frames left out

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes, in order."""

    def image(self, frame: bytes) -> npt.NDArray[np.uint8] | None:
        """One of them, uint8 BGR [h, w, 3]; None where it is damaged."""

    def rest(self) -> str:
        """What is wrong with the bytes that are left at the end; empty where nothing is."""


class Jpegs:
    """JPEGs one after another; what stands between them (multipart heads, text) is passed over.

    A JPEG is followed from marker to marker, so that the end of a thumbnail inside it is not taken
    for its own, and half of one is left out when the next begins.
    """

    what = "MJPEG"

    def __init__(self) -> None:
        self.bad = 0
        self._buffer = bytearray()
        self._place = 0  # how far the JPEG at the buffer's start was followed; 0: there is none
        self._scans = False  # whether a scan of it has begun

    def feed(self, data: bytes) -> list[bytes]:
        """The JPEGs that `data` completes."""
        self._buffer += data
        found: list[bytes] = []
        while self._begin():
            end = self._follow()
            if end > 0:
                found.append(bytes(self._buffer[:end]))
                self._skip(end)
            elif end < 0:
                self.bad += 1
                self._skip(2)
            elif len(self._buffer) > _MOST:
                self.bad += 1
                self._skip(len(self._buffer))
            else:
                break
        return found

    def image(self, frame: bytes) -> npt.NDArray[np.uint8] | None:
        """Decoded."""
        return decode(frame)

    def rest(self) -> str:
        """Half a picture is left out without a word: so a camera ends that is killed."""
        return ""

    def _begin(self) -> bool:
        """Bring the next start of a picture to the buffer's start."""
        if self._place:
            return True
        start = self._buffer.find(_START)
        # Without one, the last two bytes may be half of it.
        del self._buffer[: max(0, len(self._buffer) - 2) if start < 0 else start]
        self._place = 2 if start >= 0 else 0
        return start >= 0

    def _follow(self) -> int:
        """Where the picture ends; 0 where it goes on, -1 where it is none or half of one."""
        while match := _MARKER.search(self._buffer, self._place):
            marker, place = match[1][0], match.end()
            if marker == _END_OF_IMAGE:
                return place if self._scans else -1
            # Before the scan, segment follows segment; garbage and the next picture do not.
            if marker not in (_IN_SCAN if self._scans else _SEGMENTS):
                return -1
            if not self._scans and self._buffer[self._place : match.start()].strip(b"\xff"):
                return -1
            if place + 2 > len(self._buffer):
                return 0
            length = int.from_bytes(self._buffer[place : place + 2], "big")
            if length < 2:
                return -1
            inside = self._buffer[place : place + length]
            # Cut in a segment, it would swallow the start of the next picture.
            if inside.startswith(_START) or (marker not in _FREE and _START in inside):
                return -1
            if len(inside) < length:
                return 0
            if inside.endswith(_START[:2]):
                return -1
            self._scans = self._scans or marker == _SCAN
            self._place = place + length
        if self._scans:
            # The last byte may be the first half of a marker.
            self._place = max(self._place, len(self._buffer) - 1)
        elif self._buffer[self._place :].strip(b"\xff"):
            return -1
        return 0

    def _skip(self, count: int) -> None:
        del self._buffer[:count]
        self._place, self._scans = 0, False


@dataclass(frozen=True)
class _Pixels:
    """A pixel format by ffmpeg's name: bytes a picture over its pixels, OpenCV's conversion."""

    half_bytes: int
    convert: int | None
    even: tuple[int, int] = (1, 1)  # width and height must be multiples of these


FORMATS = {
    "rgb24": _Pixels(6, cv2.COLOR_RGB2BGR),
    "bgr24": _Pixels(6, None),
    "bgr0": _Pixels(8, cv2.COLOR_BGRA2BGR),
    "rgb0": _Pixels(8, cv2.COLOR_RGBA2BGR),
    "gray": _Pixels(2, cv2.COLOR_GRAY2BGR),
    "yuyv422": _Pixels(4, cv2.COLOR_YUV2BGR_YUYV, (2, 1)),
    "uyvy422": _Pixels(4, cv2.COLOR_YUV2BGR_UYVY, (2, 1)),
    "yuv420p": _Pixels(3, cv2.COLOR_YUV2BGR_I420, (2, 2)),
    "nv12": _Pixels(3, cv2.COLOR_YUV2BGR_NV12, (2, 2)),
}


class Raw:
    """Pictures of one size in bytes without heads, rows without padding.

    Args:
        pixels: one of `FORMATS`.
        size: (width, height) in pixels.

    Raises:
        EdgecrnnError: no such format, or a size that it cannot have.
    """

    bad = 0

    def __init__(self, pixels: str, size: tuple[int, int]):
        if pixels not in FORMATS:
            raise EdgecrnnError(
                f"source: expected raw pixels as {', '.join(FORMATS)}, got {pixels!r}"
                f"{nearest(pixels, tuple(FORMATS))}"
            )
        self._format = FORMATS[pixels]
        self._width, self._height = size
        across, down = self._format.even
        if self._width % across or self._height % down:
            raise EdgecrnnError(
                f"source: expected an even {'width and height' if down > 1 else 'width'} "
                f"for {pixels}, got {self._width}x{self._height}"
            )
        self._bytes = self._width * self._height * self._format.half_bytes // 2
        if self._bytes > 8 * _MOST:
            raise EdgecrnnError(
                f"source: expected a picture of at most {8 * _MOST // 2**20} MiB, "
                f"got {self._width}x{self._height}"
            )
        self.what = f"raw {pixels}"
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures that `data` completes."""
        self._buffer += data
        count = len(self._buffer) // self._bytes
        if not count:
            return []
        view = memoryview(self._buffer)
        found = [bytes(view[i * self._bytes : (i + 1) * self._bytes]) for i in range(count)]
        view.release()
        del self._buffer[: count * self._bytes]
        return found

    def image(self, frame: bytes) -> npt.NDArray[np.uint8] | None:
        """As BGR."""
        shape: tuple[int, ...] = (self._height, self._width, self._format.half_bytes // 2)
        if self._format.half_bytes == 3:
            shape = (self._height * 3 // 2, self._width)
        flat = np.frombuffer(frame, np.uint8).reshape(shape)
        if self._format.convert is None:
            return flat.copy()
        return as_image(cv2.cvtColor(flat, self._format.convert))

    def rest(self) -> str:
        """Bytes that are no whole picture: the size or format is another, or the child was cut."""
        if not self._buffer:
            return ""
        return (
            f"{self.what} {self._width}x{self._height} in pictures of {self._bytes} bytes each, "
            f"got an output that ends with {len(self._buffer)} bytes of one; check size and format"
        )
