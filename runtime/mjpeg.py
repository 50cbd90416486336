"""A camera's MJPEG over http or https (multipart/x-mixed-replace)."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import Any
from urllib.parse import unquote

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.multipart import JpegParts
from edgecrnn.runtime.opencv import quiet
from edgecrnn.runtime.pictures import decode
from edgecrnn.runtime.urls import parse_url, without_password

_BLOCK = 65536


class Mjpeg:
    """The stream's JPEGs as they come; where several came at once, the newest."""

    live = True
    rate: float | None = None

    def __init__(self, spec: str, timeout: float):
        self.name = without_password(spec)
        self._timeout = timeout
        self._count = self._bad = 0
        quiet()
        self._response = self._open(spec)
        boundary = _boundary(self._response.headers)
        if boundary is None:
            kind = self._response.headers.get_content_type()
            self._response.close()
            raise EdgecrnnError(
                f"{self.name}: expected MJPEG (multipart/x-mixed-replace), got {kind}; "
                "look up the address of the camera's video stream"
            )
        self._parts = JpegParts(boundary)
        self._first: Frame | None = None
        try:
            first = self.read()
        except EdgecrnnError:
            self.close()
            raise
        if first is None:
            self.close()
            raise EdgecrnnError(
                f"{self.name}: expected a first frame, got the end of the stream; "
                "check that the camera is on"
            )
        self._first = first
        height, width = first.image.shape[:2]
        self.about = f"MJPEG {width}x{height}, no rate stated"

    @property
    def notes(self) -> tuple[str, ...]:
        """Says how many frames were damaged."""
        bad = self._bad + self._parts.bad
        return (f"{self.name}: left out {bad} damaged frames",) if bad else ()

    def read(self) -> Frame | None:
        """The next whole frame; None where the server has ended the stream.

        Raises:
            EdgecrnnError: no whole frame came within the time-out.
        """
        if self._first is not None:
            held, self._first = self._first, None
            return held
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                data = self._response.read1(_BLOCK)
            except TimeoutError:
                break
            except (OSError, http.client.HTTPException):
                return None
            if not data:
                return None
            parts = self._parts.feed(data)
            captured = time.monotonic()
            self._count += len(parts)
            image = decode(parts[-1]) if parts else None
            if image is not None:
                return Frame(image, self._count - 1, captured, captured)
            self._bad += bool(parts)
            # A server that drips bytes never lets the socket time out.
            if captured > deadline:
                break
        raise EdgecrnnError(
            f"{self.name}: expected a frame within {self._timeout:g} s, got none; "
            "check the camera and the network, or raise --timeout"
        )

    def close(self) -> None:
        """End the connection."""
        self._response.close()

    def _open(self, spec: str) -> Any:
        url = parse_url(spec)
        address = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        if url.username is not None:
            user, password = unquote(url.username), unquote(url.password or "")
            passwords.add_password(None, address, user, password)
        opener = urllib.request.build_opener(
            urllib.request.HTTPBasicAuthHandler(passwords),
            urllib.request.HTTPDigestAuthHandler(passwords),
        )
        try:
            return opener.open(address, timeout=self._timeout)
        except urllib.error.HTTPError as error:
            with error:
                reason = f"HTTP {error.code} {error.reason}"
            asks = error.code in (401, 403)
            mend = "check the user and the password" if asks else "check the path"
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason, mend = _reason(error), "check the address and that the camera is on"
        raise EdgecrnnError(f"{self.name}: expected MJPEG over HTTP, got {reason}; {mend}")


def _boundary(headers: Message) -> str | None:
    if headers.get_content_maintype() != "multipart":
        return None
    value = headers.get_param("boundary")
    return value if isinstance(value, str) and value.strip("-") else None


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    words = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(words).lower()
