"""Feeds a model the frame rate that it was trained at, whatever the source gives.

Frames are dropped or waited for, never invented. The rule is that of training, as far as it can be
told without knowing the future: for each tick of 1 / rate seconds from the first frame on, the
frame nearest in time; the next frame is expected after the usual interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

_TICK = 1e-6  # seconds; timestamps come as floating milliseconds
_MARGIN = 0.25  # seconds that a camera or a network may stutter
_EASE = 0.1  # share of a new interval in the usual one
_SLOW = 1.25  # a usual interval this many periods long starves the model
_SURE = 10  # frames before anything is said about the rate


class Pace(NamedTuple):
    """What the rule remembers; `Pace()` before the first frame.

    `start` and `last` are the times of the first and the newest frame in seconds, `tick` the next
    one to be served, `interval` the usual time between frames (0 while unknown), `seen` the
    frames since the start.
    """

    start: float = 0.0
    last: float = 0.0
    tick: int = 0
    interval: float = 0.0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with a frame: classify it or not, and forget everything before it or not."""

    take: bool
    reset: bool


_TAKE, _DROP, _RESET = Step(True, False), Step(False, False), Step(True, True)


def advance(pace: Pace, time: float, rate: float) -> tuple[Step, Pace]:
    """What to do with the frame of that time.

    A gap of more than two usual steps and a margin, or time that goes back, asks for a reset: the
    model would take the jump for a movement.

    Args:
        pace: what the last call returned, or `Pace()`.
        time: seconds on the source's own clock.
        rate: frames a second that the model was trained at.
    """
    elapsed = time - pace.last
    interval = pace.interval
    if pace.seen == 0:
        return _TAKE, Pace(time, time, _after(interval / 2, rate), interval, 1)
    if elapsed < 0:
        return _RESET, Pace(time, time, _after(interval / 2, rate), interval, 1)
    usual = max(interval, 1 / rate)
    if interval == 0:
        interval = min(elapsed, usual)
    else:
        # A single long wait must not become the usual one.
        interval += _EASE * (min(elapsed, 3 * usual) - interval)
    if elapsed > 2 * usual + _MARGIN:
        return _RESET, Pace(time, time, _after(interval / 2, rate), interval, 1)
    middle = time - pace.start + interval / 2 + _TICK
    if pace.tick > middle * rate:
        return _DROP, Pace(pace.start, time, pace.tick, interval, pace.seen + 1)
    tick = math.floor(middle * rate) + 1
    return _TAKE, Pace(pace.start, time, tick, interval, pace.seen + 1)


def starved(pace: Pace, rate: float) -> bool:
    """Whether frames usually come so slowly that the model misses more than a fifth of its own."""
    return pace.seen >= _SURE and pace.interval * rate > _SLOW


def _after(middle: float, rate: float) -> int:
    return math.floor((middle + _TICK) * rate) + 1
