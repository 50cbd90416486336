"""Finds near-duplicates, and how alike two files of this set must be to be called that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgecrnn.train.data.check.hashes import hashes
from edgecrnn.train.data.check.likeness import Floats, differences
from edgecrnn.train.data.check.neighbours import Ints, Places, near_pairs
from edgecrnn.train.data.check.reading import Reading

MOST = 0.35  # difference up to which two files may be the same in any set
LEAST = 0.05  # difference that compressing and resizing make: alike in every set
_SHARE, _PART = 0.05, 0.5  # of the files with the nearest stranger, and of their difference


@dataclass(frozen=True)
class Pair:
    """Two files that show the same."""

    first: int  # places in the readings, the smaller first
    second: int
    difference: float  # 0.0 where the contents are identical


@dataclass(frozen=True)
class NearDuplicates:
    """The pairs, and the difference up to which two files of this set count as one."""

    pairs: tuple[Pair, ...]
    limit: float


def near_duplicates(readings: Sequence[Reading]) -> NearDuplicates:
    """Every pair of files with the same contents, and of those that show nearly the same.

    A camera that stands still makes everything alike. What is alike then is told by the set
    itself: files of different classes show different things, so the difference between a file
    and its nearest of another class says how alike strangers are here. Half of what the nearest
    5 % of the files have is the limit, at most `MOST`, at least `LEAST`.

    Blank files are compared by their contents alone. Clips are compared by frames at the same
    share of their length: cut shorter or played backwards they are not found.
    """
    shown = [i for i, reading in enumerate(readings) if _comparable(reading)]
    classes, splits = _numbers(readings, shown)
    if shown:
        pictures = np.stack([t for i in shown if (t := readings[i].thumbnails) is not None])
        bits = hashes(pictures).reshape(len(pictures), -1)
        first, second = near_pairs(bits, (classes, splits))
        difference = differences(pictures, first, second)
    else:
        first = second = np.empty(0, np.int32)
        difference = np.empty(0, np.float32)
    limit = _limit(first, second, difference, classes)
    near = {
        (shown[i], shown[j]): float(d)
        for i, j, d in zip(first.tolist(), second.tolist(), difference.tolist(), strict=True)
        if d <= limit
    }
    near.update(dict.fromkeys(_identical(readings), 0.0))
    return NearDuplicates(tuple(Pair(i, j, d) for (i, j), d in sorted(near.items())), limit)


def _comparable(reading: Reading) -> bool:
    return not reading.error and reading.blank < 1


def _numbers(readings: Sequence[Reading], shown: Sequence[int]) -> tuple[Ints, Ints]:
    classes = np.array([readings[i].item.label for i in shown], np.int64)
    splits = [readings[i].item.split for i in shown]
    return classes, np.array([("train", "val", "test").index(s) for s in splits], np.int64)


def _limit(first: Places, second: Places, difference: Floats, classes: Ints) -> float:
    nearest = np.full(len(classes), np.inf)
    strangers = classes[first] != classes[second]
    for side in (first, second):
        np.minimum.at(nearest, side[strangers], difference[strangers])
    if not len(nearest):
        return MOST
    few = float(np.quantile(nearest, _SHARE, method="lower"))
    return min(MOST, max(LEAST, _PART * few))


def _identical(readings: Sequence[Reading]) -> list[tuple[int, int]]:
    """Each file with the first of the same contents, and with one of each other class and split."""
    same: dict[str, list[int]] = {}
    for i, reading in enumerate(readings):
        same.setdefault(reading.item.digest, []).append(i)
    pairs = set()
    for places in same.values():
        ahead: dict[tuple[int, str], int] = {}
        for i in places:
            item = readings[i].item
            pairs |= {(other, i) for other in ahead.values()}
            ahead.setdefault((item.label, item.split), i)
    return sorted(pairs)
