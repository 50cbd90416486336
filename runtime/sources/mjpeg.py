"""A camera's MJPEG over http or https."""

from __future__ import annotations

from edgecrnn.runtime.frame import Source, SourceSettings

WHAT = "http(s):// MJPEG"


def matches(spec: str) -> bool:
    """An http or https address."""
    return spec.lower().startswith(("http://", "https://"))


def open_source(spec: str, settings: SourceSettings) -> Source:
    """Connect within the time-out and read a first frame."""
    # Python's HTTP client with TLS takes a tenth of a second to import.
    from edgecrnn.runtime.mjpeg import Mjpeg

    return Mjpeg(spec, settings.timeout)
