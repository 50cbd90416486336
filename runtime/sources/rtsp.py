"""An rtsp:// stream through OpenCV's FFmpeg."""

from __future__ import annotations

import socket

import cv2

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.opencv import LiveCapture
from edgecrnn.runtime.urls import parse_url, without_password

WHAT = "rtsp://"
_PORTS = {"rtsp": 554, "rtsps": 322}


def matches(spec: str) -> bool:
    """An rtsp or rtsps address."""
    return spec.lower().startswith(("rtsp://", "rtsps://"))


def open_source(spec: str, settings: SourceSettings) -> LiveCapture:
    """Connect within the time-out and read a first frame.

    Raises:
        EdgecrnnError: nobody answers there, or it gives no frame.
    """
    url, name = parse_url(spec), without_password(spec)
    # FFmpeg tells OpenCV no reason: a connection of our own tells refused from silent.
    port = url.port or _PORTS[url.scheme]
    try:
        socket.create_connection((url.hostname or "", port), settings.timeout).close()
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise EdgecrnnError(
            f"{name}: expected an RTSP server, got {reason.lower()}; "
            "check the address and that the camera is on"
        ) from error
    milliseconds = round(settings.timeout * 1000)
    params = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds]
    params += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
    mend = "check the path, the user and the password"
    return LiveCapture(name, spec, cv2.CAP_FFMPEG, params, settings.timeout, mend)
