"""Any GStreamer pipeline."""

from __future__ import annotations

import shlex

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import has_scheme
from edgecrnn.runtime.sources._child import Child
from edgecrnn.runtime.sources._gst import as_pixels, open_pipeline

WHAT = "gstreamer:PIPELINE"
_AS_JPEGS = ["!", "videoconvert", "!", "jpegenc", "quality=95", "!", "fdsink", "fd=1"]


def matches(spec: str) -> bool:
    """`gstreamer:` and a pipeline."""
    return has_scheme(spec, "gstreamer")


def open_source(spec: str, settings: SourceSettings) -> Child:
    """Run the pipeline and wait for a first frame.

    Raises:
        EdgecrnnError: the pipeline is none, GStreamer is not there, or it gives no frame.
    """
    words, size = pipeline(spec.removeprefix("gstreamer:"), settings)
    # Properties may hold passwords: only the first element is named.
    return open_pipeline(f"gstreamer:{words[0]}", words, size, settings)


def pipeline(line: str, settings: SourceSettings) -> tuple[list[str], tuple[int, int] | None]:
    """What follows gst-launch-1.0, and the size of its pictures where they are not JPEGs.

    A pipeline that says fdsink itself is left as it is and must write JPEGs, in a multipart stream
    or bare; to any other is added what writes pictures of the size asked for, or else JPEGs.

    Raises:
        EdgecrnnError: an open quote, or nothing.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise EdgecrnnError(
            f"source: expected gstreamer:PIPELINE, got a line with {str(error).lower()}; close it"
        ) from error
    while words and words[-1] == "!":
        words.pop()
    if not words or "\0" in line:
        raise EdgecrnnError(
            "source: expected gstreamer:PIPELINE, for example 'gstreamer:v4l2src', got none; "
            "write its elements with ! between them"
        )
    if "fdsink" in words:
        return words, None
    size = settings.wanted_size
    if size is None:
        return [*words, *_AS_JPEGS], None
    return [*words, "!", "videoconvert", "!", "videoscale", *as_pixels(size)], size
