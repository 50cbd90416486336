"""How well boxes were found: average precision (Everingham et al., 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# (left, top, width, height, score, class)
Box = tuple[float, ...]


class BoxNotes(NamedTuple):
    """One picture: (class, score, right) of each box found, and the class of each true one."""

    found: tuple[tuple[int, float, bool], ...]
    true: tuple[int, ...]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes (left, top, width, height, ...)."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def box_notes(found: Sequence[Box], true: Sequence[Box], least: float = 0.5) -> BoxNotes:
    """Match each box with the true one of its class that it overlaps most; each is found once."""
    left = list(range(len(true)))
    noted = []
    for box in sorted(found, key=lambda each: -each[4]):
        fits = [(overlap(box, true[i]), i) for i in left if true[i][5] == box[5]]
        best, index = max(fits, default=(0.0, -1))
        right = best >= least
        if right:
            left.remove(index)
        noted.append((int(box[5]), float(box[4]), right))
    return BoxNotes(tuple(noted), tuple(int(box[5]) for box in true))


def mean_average_precision(noted: Sequence[BoxNotes]) -> float:
    """The mean of `average_precision` over the classes that there are."""
    classes = sorted({label for each in noted for label in each.true})
    if not classes:
        return 0.0
    return float(np.mean([average_precision(noted, label) for label in classes]))


def average_precision(noted: Sequence[BoxNotes], label: int) -> float:
    """The area under the precision over recall of one class, made to fall only (all points)."""
    total = sum(each.true.count(label) for each in noted)
    found = [(score, right) for each in noted for of, score, right in each.found if of == label]
    if not total or not found:
        return 0.0
    found.sort(key=lambda each: -each[0])
    right = np.cumsum([each[1] for each in found])
    recall, precision = right / total, right / np.arange(1, len(found) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
