"""What a source gives, and what every source is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    `image` is uint8 BGR [h, w, 3]; `index` counts the source's frames from 0; `time` is in
    seconds: the monotonic clock for a live source, media time otherwise; `captured` is the
    monotonic time at which it came. `opening` counts from 0 how often the source was opened before:
    what was seen in another opening is no part of the same stream.
    """

    image: npt.NDArray[np.uint8]
    index: int
    time: float
    captured: float
    opening: int = 0


@dataclass(frozen=True)
class SourceSettings:
    """What can be asked of a source; what a source has no use for is left aside."""

    size: str = setting("", "size asked of a camera, for example 640x480", unit="pixels")
    rate: float | None = setting(
        None,
        "frames a second asked of a camera, or that a folder of pictures stands for",
        unit="frames/s",
        least=0.01,
        most=1000.0,
    )
    pixels: str = setting("", "pixel format asked of a camera, for example MJPG or YUYV")
    timeout: float = setting(
        5.0, "how long a live source may take to open or to give a frame", unit="s", least=0.1,
        most=3600.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)
        if self.size and not _SIZE.fullmatch(self.size):
            raise EdgecrnnError(
                f"size: expected WIDTHxHEIGHT in pixels, for example 640x480, got {self.size!r}"
            )
        if self.pixels and (len(self.pixels) != 4 or not self.pixels.isascii()):
            raise EdgecrnnError(
                f"pixels: expected four letters, for example MJPG, got {self.pixels!r}"
            )

    @property
    def wanted_size(self) -> tuple[int, int] | None:
        """(width, height) in pixels, None where the source chooses."""
        return parse_size(self.size)


def parse_size(text: str) -> tuple[int, int] | None:
    """(width, height) out of WIDTHxHEIGHT, None where it is not written like that."""
    match = _SIZE.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


class Source(Protocol):
    """An open source. Opening it has read a first frame: nothing less proves that it is there."""

    @property
    def name(self) -> str:
        """What the person gave, without passwords."""

    @property
    def about(self) -> str:
        """What was opened: format, size and rate as read back."""

    @property
    def live(self) -> bool:
        """Whether frames are lost when nobody reads them."""

    @property
    def rate(self) -> float | None:
        """Frames a second that the source states; None where it states none."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know at the end, for example files that were skipped."""

    def read(self) -> Frame | None:
        """The next frame; None when there are no more.

        Raises:
            EdgecrnnError: the source gave something that is no picture, or nothing in time.
        """

    def close(self) -> None:
        """Let go of the device, file or connection."""


class SourceEntry(Protocol):
    """A module of `edgecrnn.runtime.sources`."""

    WHAT: str  # how it is written on the command line, for a person

    def matches(self, spec: str) -> bool:
        """Whether `--source spec` means this kind of source."""

    def open_source(self, spec: str, settings: SourceSettings) -> Source:
        """Open it and read a first frame.

        Raises:
            EdgecrnnError: it is not there or is not what it should be.
        """


def as_image(image: Any) -> npt.NDArray[np.uint8]:
    """What OpenCV decoded, as uint8 without a copy."""
    return np.asarray(image, np.uint8)
