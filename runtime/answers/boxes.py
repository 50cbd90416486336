"""Boxes: what is where."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import Image, Told
from edgecrnn.runtime.answers._colors import color

SURE = 0.5  # a box that is less sure is not told
_OVERLAP = 0.45  # of two boxes of a class that overlap more, the surer one stays
_MOST = 100  # boxes


def boxes_of(answer: npt.NDArray[np.float32], sure: float) -> tuple[tuple[float, ...], ...]:
    """(left, top, width, height, score, class) of each box, the surest first; shares of the frame.

    Args:
        answer: float32 [rows, columns, 5 + classes]: whether a centre lies in the cell, where in
            it (x, y), width and height as shares of the frame, and how sure each class is.
        sure: least score, which is that of the cell times that of its surest class.
    """
    rows, columns = answer.shape[:2]
    scores = answer[..., 0] * answer[..., 5:].max(axis=-1)
    found: list[tuple[float, ...]] = []
    for row, column in np.argwhere(scores >= sure):
        _, x, y, width, height, *classes = answer[row, column].tolist()
        left, top = (column + x) / columns - width / 2, (row + y) / rows - height / 2
        number = float(np.argmax(classes))
        found.append((left, top, width, height, float(scores[row, column]), number))
    if not found:
        return ()
    kept = cv2.dnn.NMSBoxesBatched(
        [box[:4] for box in found],
        [box[4] for box in found],
        [int(box[5]) for box in found],
        sure,
        _OVERLAP,
    )
    best = sorted((found[int(index)] for index in kept), key=lambda box: -box[4])
    return tuple(best[:_MOST])


def told(answer: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Told:
    """The classes that were found, the boxes drawn into the frame."""
    boxes = boxes_of(answer, SURE)
    best = [max((b[4] for b in boxes if b[5] == n), default=0.0) for n in range(len(labels))]
    counts = Counter(labels[int(box[5])] for box in boxes)
    names = [f"{count} x {name}" if count > 1 else name for name, count in sorted(counts.items())]

    def view(frame: Image) -> Image:
        return drawn(frame, boxes, labels)

    return Told(
        ", ".join(names) or "nothing", max(best, default=0.0), tuple(best), view, False, boxes
    )


def drawn(frame: Image, boxes: tuple[tuple[float, ...], ...], labels: tuple[str, ...]) -> Image:
    """The frame with boxes and names."""
    picture = frame.copy()
    height, width = picture.shape[:2]
    thick = max(1, round(min(height, width) / 200))
    size = max(0.35, min(height, width) / 700)
    for left, top, wide, high, _, number in boxes:
        corner = (round(left * width), round(top * height))
        end = (round((left + wide) * width), round((top + high) * height))
        cv2.rectangle(picture, corner, end, color(int(number)), thick)
        place = (corner[0] + thick, max(round(14 * size) + thick, corner[1] - 2 * thick))
        name = labels[int(number)]
        for shade, width_ in (((0, 0, 0), thick + 2), (color(int(number)), thick)):
            cv2.putText(picture, name, place, cv2.FONT_HERSHEY_SIMPLEX, size, shade, width_)
    return picture
