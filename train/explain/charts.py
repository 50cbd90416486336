"""The two charts under the frames: the score along time, and what each frame left out costs."""

from __future__ import annotations

import math

import numpy as np

from edgecrnn.train.explain import canvas as c
from edgecrnn.train.explain.explanation import Explained

# Importance below this is drawn on a scale of this: a bar of nothing must not look like one.
_LEAST_SCALE = 0.01


def x_of(explained: Explained, left: float, right: float, frame: float) -> float:
    """Where the middle of a frame lies on a time axis."""
    return left + (frame + 0.5) * (right - left) / len(explained.frames)


def score_chart(
    canvas: c.Pixels, explained: Explained, left: float, top: float, right: float, bottom: float
) -> None:
    """Scores of all classes along time; the explained one thick, the strongest other one named."""
    _warmup(canvas, explained, left, top, right, bottom)
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        c.rule(canvas, left, y, right)
        c.write(canvas, f"{share:g}", (left - 8, y + 5), 13, c.SOFT, "right")
    rival = strongest_other(explained)
    for label in (*range(len(explained.labels)), rival, explained.label):
        points = [
            (x_of(explained, left, right, t), bottom - float(score) * (bottom - top))
            for t, score in enumerate(explained.scores[:, label])
        ]
        important = label in (rival, explained.label)
        color = c.CLASS if label == explained.label else (c.SOFT if important else c.OTHER)
        width = 3 if label == explained.label else (2 if important else 1)
        c.curve(canvas, points, color, width)


def importance_chart(
    canvas: c.Pixels, explained: Explained, left: float, top: float, right: float, bottom: float
) -> None:
    """A bar for each frame: up where the score falls without it, down where it rises."""
    assert explained.importance is not None
    values = explained.importance
    scale = _round_up(max(_LEAST_SCALE, float(np.abs(values).max())))
    falls, rises = float(values.max()) > 0, float(values.min()) < -0.1 * scale
    above, below = (scale if falls or not rises else 0.0), (scale if rises else 0.0)
    zero = bottom - below / (above + below) * (bottom - top)
    unit = (bottom - top) / (above + below)
    _warmup(canvas, explained, left, top, right, bottom)
    for value in sorted({-below, 0.0, above}):
        y = zero - value * unit
        c.rule(canvas, left, y, right, c.GRID if value else c.SOFT)
        c.write(canvas, _signed(value), (left - 8, y + 5), 13, c.SOFT, "right")
    half = max(1.0, min(14.0, 0.36 * (right - left) / len(values)))
    for t, value in enumerate(values.tolist()):
        x = x_of(explained, left, right, t)
        color = c.LOSS if value > 0 else c.GAIN
        if abs(value) * unit >= 0.5:
            c.box(canvas, x - half, zero - value * unit, x + half, zero, color)
        c.rule(canvas, x - half, zero, x + half, c.SOFT)


def time_axis(canvas: c.Pixels, explained: Explained, left: float, y: float, right: float) -> None:
    """Marks below the charts, in seconds where the clip has a frame rate."""
    rate = explained.frame_rate or 1.0
    total = len(explained.frames) / rate
    step = _round_up(total / 10)
    if explained.frame_rate is None:
        step = max(1.0, step)
    unit = "s" if explained.frame_rate else "frames"
    for index in range(int(total / step + 1e-6) + 1):
        at = left + index * step / total * (right - left)
        said = f"{index * step:g}"
        c.write(canvas, said if index else f"0 {unit}", (at, y), 13, c.SOFT, "middle")


def strongest_other(explained: Explained) -> int:
    """The class that came nearest to the explained one, or was decided on instead."""
    others = explained.answer.copy()
    others[explained.label] = -np.inf
    return int(others.argmax())


def _warmup(
    canvas: c.Pixels,
    explained: Explained,
    left: float,
    top: float,
    right: float,
    bottom: float,
) -> None:
    if not explained.warmup:
        return
    until = left + min(1.0, explained.warmup / len(explained.frames)) * (right - left)
    c.box(canvas, left, top, until, bottom, c.SHADE)


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= value * (1 - 1e-9))


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+g}"
