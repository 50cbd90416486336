"""A folder of pictures, in the natural order of their names."""

from __future__ import annotations

import re
import time
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.opencv import quiet
from edgecrnn.runtime.pictures import PICTURES, read_picture
from edgecrnn.runtime.sources import is_folder

WHAT = "a folder of pictures"
_DIGITS = re.compile(r"(\d+)")


class Folder:
    """The frames of a folder; its `rate` gives them their times, 1 a second without one."""

    live = False

    def __init__(self, path: Path, rate: float | None):
        self.name = str(path)
        self.rate = rate
        self._interval = 1.0 / rate if rate else 1.0
        self._bad: list[str] = []
        quiet()
        names = (p for p in path.iterdir() if p.suffix.lower() in PICTURES and p.is_file())
        self._paths = sorted(names, key=lambda p: natural_order(p.name))
        if not self._paths:
            raise EdgecrnnError(
                f"{path}: expected a folder with pictures ({', '.join(PICTURES)}), found none in it"
            )
        self._place = 0
        self._first = self._next()
        if self._first is None:
            raise EdgecrnnError(
                f"{path}: expected a folder with pictures, none of the {len(self._paths)} "
                f"can be read: {self._bad[0]}"
            )
        height, width = self._first.image.shape[:2]
        count = f"{len(self._paths)} picture{'s' * (len(self._paths) != 1)}"
        self.about = f"folder of {count}, the first {width}x{height}"

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each picture that was skipped."""
        return tuple(f"skipped {reason}" for reason in self._bad)

    def read(self) -> Frame | None:
        """The next picture that can be read."""
        if self._first is not None:
            held, self._first = self._first, None
            return held
        return self._next()

    def close(self) -> None:
        """Nothing is open."""

    def _next(self) -> Frame | None:
        while self._place < len(self._paths):
            index, self._place = self._place, self._place + 1
            captured = time.monotonic()
            try:
                image = read_picture(self._paths[index])
            except EdgecrnnError as error:
                self._bad.append(str(error))
                continue
            return Frame(image, index, index * self._interval, captured)
        return None


def natural_order(name: str) -> list[tuple[int, str]]:
    """Sort key that puts frame9 before frame10."""
    parts = _DIGITS.split(name)
    return [(int(part), "") if odd % 2 else (-1, part) for odd, part in enumerate(parts)]


def matches(spec: str) -> bool:
    """A folder."""
    return is_folder(spec)


def open_source(spec: str, settings: SourceSettings) -> Folder:
    """List it and read the first picture."""
    return Folder(Path(spec), settings.rate)
