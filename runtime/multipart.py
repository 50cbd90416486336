"""Whole JPEGs out of a multipart/x-mixed-replace stream, however it is cut into pieces."""

from __future__ import annotations

import re

from edgecrnn.runtime.intact import truncated

_START, _END = b"\xff\xd8", b"\xff\xd9"
# Bytes that may stand after the end marker: line ends and the dashes of a boundary.
_TRAILER = b"\r\n-\x00 "
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,9})\s*$", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"\r?\n\r?\n")
_MOST = 32 * 1024 * 1024


class JpegParts:
    """Collects the bytes of a stream and gives its whole JPEGs.

    A part counts only where it begins and ends as a JPEG does; half frames and garbage are left
    out and counted in `bad`.

    Args:
        boundary: as the content type says it, with or without the two dashes before it.
    """

    def __init__(self, boundary: str):
        # Cameras disagree on whether the dashes belong to the boundary: search without them.
        self._mark = b"--" + boundary.lstrip("-").encode("latin-1", "replace")
        self._buffer = bytearray()
        self._searched = 0
        self.bad = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The JPEGs that `data` completes, in order."""
        self._buffer += data
        found: list[bytes] = []
        while (part := self._take()) is not None:
            body = _jpeg(part)
            if body is not None:
                found.append(body)
            elif part.strip(_TRAILER):
                self.bad += 1
        if len(self._buffer) > _MOST:
            self._forget()
        return found

    def _take(self) -> bytes | None:
        """The body of the next complete part, removed from the buffer."""
        start = self._buffer.find(self._mark)
        if start < 0:
            # Nothing before the first boundary is of use, but half of a boundary is.
            del self._buffer[: max(0, len(self._buffer) - len(self._mark))]
            return None
        blank = _BLANK.search(self._buffer, start)
        after = self._buffer.find(self._mark, max(start + len(self._mark), self._searched))
        if blank is None or (0 <= after < blank.start()):
            return self._cut(start, start, after) if after >= 0 else None
        body = blank.end()
        length = _LENGTH.search(self._buffer, start, blank.start() + 1)
        if length is not None and int(length[1]) <= _MOST:
            end = body + int(length[1])
            if end > len(self._buffer):
                return None
            if self._ends(end):
                return self._cut(body, end, end)
        if after >= 0:
            return self._cut(body, after, after)
        # No length and no boundary yet: cameras that send it with the next frame would cost a
        # frame of latency, so a picture that is whole is taken at once.
        if self._ends(len(self._buffer)) and not truncated(bytes(self._buffer[body:])):
            return self._cut(body, len(self._buffer), len(self._buffer))
        self._searched = max(body, len(self._buffer) - len(self._mark))
        return None

    def _ends(self, end: int) -> bool:
        return self._buffer[max(0, end - 16) : end].rstrip(_TRAILER).endswith(_END)

    def _cut(self, start: int, end: int, rest: int) -> bytes:
        body = bytes(self._buffer[start:end])
        del self._buffer[:rest]
        self._searched = 0
        return body

    def _forget(self) -> None:
        self._buffer.clear()
        self._searched = 0
        self.bad += 1


def _jpeg(part: bytes) -> bytes | None:
    body = part.rstrip(_TRAILER)
    return body if body.startswith(_START) and body.endswith(_END) else None
