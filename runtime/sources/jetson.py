"""A camera on a Jetson's CSI port, through GStreamer's nvarguscamerasrc."""

from __future__ import annotations

from fractions import Fraction

from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import camera_number, has_scheme
from edgecrnn.runtime.sources._child import Child
from edgecrnn.runtime.sources._gst import as_pixels, open_pipeline

WHAT = "jetson:N"
_SIZE = (1280, 720)
_RATE = 30.0


def matches(spec: str) -> bool:
    """`jetson:` and a camera's number."""
    return has_scheme(spec, "jetson")


def open_source(spec: str, settings: SourceSettings) -> Child:
    """Run its pipeline and wait for a first frame.

    Raises:
        EdgecrnnError: GStreamer or its element is not there, or it gives no frame.
    """
    words, size = pipeline(camera_number(spec), settings)
    return open_pipeline(spec, words, size, settings)


def pipeline(number: int, settings: SourceSettings) -> tuple[list[str], tuple[int, int]]:
    """What follows gst-launch-1.0, and the size of its pictures.

    The sensor gives the mode that is nearest to what is asked of it; the converter brings its
    pictures out of the GPU's memory and to the size.
    """
    width, height = size = settings.wanted_size or _SIZE
    rate = Fraction(settings.rate or _RATE).limit_denominator(1001)
    asked = (
        f"video/x-raw(memory:NVMM),width={width},height={height},format=NV12,"
        f"framerate={rate.numerator}/{rate.denominator}"
    )
    words = ["nvarguscamerasrc", f"sensor-id={number}", "!", asked, "!", "nvvidconv"]
    return [*words, *as_pixels(size)], size
