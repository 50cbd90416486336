"""The stream as lanes, one a class: where the truth runs and where the decision goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from edgecrnn.train.evaluation.result import Trace
from edgecrnn.train.report import svg

FRAMES_SHOWN = 600
_FRAME = 1.5  # pixels
_SCORE = 56.0
_LETTER = 7.2


def stream_strip(trace: Trace, labels: Sequence[str], frame_rate: float | None) -> Markup | None:
    """The first frames of the stream; None where it is empty.

    A lane's pale band is the truth. The bar in it is the decision, in the colour of right or
    wrong and faint in the warm-up after a change. Beneath, the score of the winner.

    Args:
        trace: the stream.
        labels: names of the classes, a lane each.
        frame_rate: frames a second, for the axis; None: frames are counted.
    """
    truth, scores = trace.truth[:FRAMES_SHOWN], trace.scores[:FRAMES_SHOWN]
    counted = trace.counted[:FRAMES_SHOWN]
    if not len(truth):
        return None
    decided = scores.argmax(axis=1)
    lane = 20.0 if len(labels) <= 12 else 13.0
    names = [svg.cut(label, 18) for label in labels]
    left = max(54.0, 12 + _LETTER * max(len(name) for name in names))
    frame = max(_FRAME, min(8.0, 700 / len(truth)))
    width, bottom = left + frame * len(truth) + 8, lane * len(labels)
    parts = []
    for index, (name, label) in enumerate(zip(names, labels, strict=True)):
        y = (index + 1) * lane
        title = svg.tag("title", label)
        parts.append(
            svg.tag("text", name, title, x=left - 7, y=y - lane / 2 + 4, text_anchor="end")
        )
        parts.append(svg.line(left, y, width - 8, y, "grid"))
    for start, end, at in _runs(truth):
        box = (left + start * frame, at * lane + 1, (end - start) * frame, lane - 2)
        parts.append(svg.rect(*box, "truth", f"truth: {labels[at]}"))
    # The decision's runs, cut where right or wrong or the warm-up begins or ends.
    keys = decided * 4 + (decided == truth) * 2 + counted
    for start, end, key in _runs(keys):
        at, right, counts, inset = key // 4, bool(key & 2), bool(key & 1), lane * 0.28
        box = (left + start * frame, at * lane + inset, (end - start) * frame, lane - 2 * inset)
        style = ("right" if right else "wrong") + ("" if counts else " faint")
        parts.append(svg.rect(*box, style, f"decided: {labels[at]}"))
    parts += _score_line(scores.max(axis=1), left, bottom + 12, frame)
    parts += _axis(len(truth), left, bottom + 12 + _SCORE, frame, frame_rate)
    said = "Truth and decision along the stream, with the score of the winner"
    return svg.picture(width, bottom + _SCORE + 34, said, parts, wide=True)


def _score_line(
    winner: npt.NDArray[np.float32], left: float, top: float, frame: float
) -> list[Markup]:
    bottom, right = top + _SCORE, left + frame * len(winner)
    parts = [svg.line(left, y, right, y, "grid") for y in (top, (top + bottom) / 2, bottom)]
    parts.append(svg.text(left - 7, top + 5, "score 1", "soft", "end"))
    parts.append(svg.text(left - 7, bottom + 4, "0", "soft", "end"))
    points = [
        (left + (t + 0.5) * frame, bottom - float(score) * _SCORE) for t, score in enumerate(winner)
    ]
    return [*parts, svg.polyline(points, "score winner")]


def _axis(
    frames: int, left: float, top: float, frame: float, frame_rate: float | None
) -> list[Markup]:
    length = frames / frame_rate if frame_rate else float(frames)
    unit = " s" if frame_rate else ""
    marks = [mark for mark in svg.ticks(length, max(2, int(frame * frames / 70))) if mark <= length]
    scale = frame * frames / length
    return [
        svg.text(left + mark * scale, top + 16, f"{mark:g}{unit}", "soft", "middle")
        for mark in marks[1:]
    ]


def _runs(values: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(start, end, value) of each stretch of equal values."""
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    for start, end in itertools.pairwise(edges):
        yield start, end, int(values[start])
