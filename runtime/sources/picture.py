"""One picture."""

from __future__ import annotations

import time
from pathlib import Path

from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.opencv import quiet
from edgecrnn.runtime.pictures import PICTURES, read_picture
from edgecrnn.runtime.sources import is_folder, is_path

WHAT = "a picture"


class Picture:
    """A source of one frame at time 0."""

    live = False
    rate: float | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, path: Path):
        self.name = str(path)
        quiet()
        captured = time.monotonic()
        self._frame: Frame | None = Frame(read_picture(path), 0, 0.0, captured)
        height, width = self._frame.image.shape[:2]
        self.about = f"picture {width}x{height}"

    def read(self) -> Frame | None:
        """The picture once, then None."""
        frame, self._frame = self._frame, None
        return frame

    def close(self) -> None:
        """Nothing is open."""


def matches(spec: str) -> bool:
    """A path that ends like a picture and is no folder."""
    return is_path(spec) and spec.lower().endswith(PICTURES) and not is_folder(spec)


def open_source(spec: str, settings: SourceSettings) -> Picture:
    """Read it."""
    return Picture(Path(spec))
