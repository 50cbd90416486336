"""Reads every file of a data folder once and keeps what the checks need of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.preprocess import Image
from edgecrnn.train.data.check.hashes import SIDE, Thumbnails, gray, thumbnail
from edgecrnn.train.data.decode import BadFileError, native_rate, quiet, whole_frames
from edgecrnn.train.data.layout import Item

CLIP_FRAMES = 8  # thumbnails kept of a clip
_MOST_HELD = 256  # thumbnails held while a clip is read
_FLAT = 2.0  # grey levels of standard deviation below which a frame is one colour
_DARK, _DARK_SPREAD = 10.0, 6.0  # mean and deviation of a frame that is black but for noise

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Reading:
    """What was seen in one file; where `error` is given, nothing else is."""

    item: Item
    error: str = ""
    width: int = 0  # pixels, of the first frame
    height: int = 0
    times: tuple[float, ...] = ()  # seconds, of every frame
    rate: float | None = None  # frames a second that a clip states
    blank: float = 0.0  # share of the frames that are black or of one colour
    sizes: int = 1  # how many frame sizes there are in it
    thumbnails: Thumbnails | None = None  # [1, SIDE, SIDE] of a picture, else [CLIP_FRAMES, ...]

    @property
    def frozen(self) -> bool:
        """Whether a clip shows the same picture all the time, to the last bit."""
        shown = self.thumbnails
        return shown is not None and len(shown) > 1 and bool((shown == shown[0]).all())


def read_all(
    items: Sequence[Item], kind: str, progress: Progress | None = None, threads: int = 2
) -> tuple[Reading, ...]:
    """Read every item, pictures or clips as `kind` says; a broken file is one with an error.

    Args:
        items: what to read.
        kind: "pictures" or "clips".
        progress: called with (files read, files in all).
        threads: files read at a time.
    """
    readings = []
    with quiet(), ThreadPoolExecutor(threads) as pool:
        try:
            for done, reading in enumerate(pool.map(lambda i: _read(i, kind), items), 1):
                readings.append(reading)
                if progress is not None:
                    progress(done, len(items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(readings)


def spread_places(count: int, shown: int) -> npt.NDArray[np.int64]:
    """The middle of each of `shown` equal parts of `count` frames; repeated where there are few."""
    return ((np.arange(shown) + 0.5) * count / shown).astype(np.int64)


def frames_at(path: Path, places: Sequence[int]) -> list[Image]:
    """The BGR frames of a picture or clip at these places; the last one there is beyond its end.

    Raises:
        BadFileError: it cannot be decoded.
    """
    wanted, found = set(places), {}
    last: Image | None = None
    with quiet():
        for place, (_, image) in enumerate(whole_frames(path)):
            last = image
            if place in wanted:
                found[place] = image
            if len(found) == len(wanted):
                break
    if last is None:
        raise BadFileError("no frames")
    return [found.get(place, last) for place in places]


def _read(item: Item, kind: str) -> Reading:
    held: list[npt.NDArray[np.uint8]] = []
    times: list[float] = []
    sizes: set[tuple[int, int]] = set()
    first = (0, 0)
    blank, step = 0, 1
    try:
        for time, image in whole_frames(item.path):
            grey = gray(image)
            first = first if times else (grey.shape[0], grey.shape[1])
            sizes.add((grey.shape[0], grey.shape[1]))
            blank += _is_blank(grey)
            if len(times) % step == 0:
                held.append(thumbnail(grey))
            times.append(time)
            if len(held) > _MOST_HELD:
                held, step = held[::2], 2 * step
        if not times:
            raise BadFileError("no frames")
    except BadFileError as error:
        return Reading(item, str(error))
    shown = CLIP_FRAMES if kind == "clips" else 1
    places = np.minimum(spread_places(len(times), shown) // step, len(held) - 1)
    return Reading(
        item,
        width=first[1],
        height=first[0],
        times=tuple(times),
        rate=native_rate(item.path) if kind == "clips" else None,
        blank=blank / len(times),
        sizes=len(sizes),
        thumbnails=np.stack([held[i] for i in places]).reshape(shown, SIDE, SIDE),
    )


def _is_blank(grey: npt.NDArray[np.uint8]) -> bool:
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    return deviation < _FLAT or (mean < _DARK and deviation < _DARK_SPREAD)
