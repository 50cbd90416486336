"""GStreamer pipelines as child processes: OpenCV's wheels have no GStreamer."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources._child import Child
from edgecrnn.runtime.sources._split import Jpegs, Raw

PROGRAM = "gst-launch-1.0"
_MEND = "try the pipeline by itself with gst-launch-1.0, or raise --timeout"


def open_pipeline(
    name: str, words: Sequence[str], size: tuple[int, int] | None, settings: SourceSettings
) -> Child:
    """Run a pipeline that writes to standard output.

    Args:
        name: for sentences.
        words: what follows gst-launch-1.0.
        size: of its BGRx pictures in pixels; None where it writes JPEGs.
        settings: for the time-out.

    Raises:
        EdgecrnnError: GStreamer is not there, or the pipeline gives no frame.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise EdgecrnnError(
            f"{name}: expected {PROGRAM} on this machine, got none; "
            "sudo apt install gstreamer1.0-tools gstreamer1.0-plugins-good"
        )
    split = Jpegs() if size is None else Raw("bgr0", size)
    # Without -q it would write words between the pictures.
    return Child(name, [program, "-q", *words], split, settings.timeout, _MEND)


def as_pixels(size: tuple[int, int]) -> list[str]:
    """The end of a pipeline: pictures of `size`, 4 bytes a pixel, no padding."""
    caps = f"video/x-raw,format=BGRx,width={size[0]},height={size[1]}"
    return ["!", caps, "!", "fdsink", "fd=1"]
