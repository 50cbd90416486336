"""Frames of noise, for a bundle that makes pictures of it: noise:WIDTHxHEIGHT?class=N."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qsl

import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.seeds import seed_frame
from edgecrnn.runtime.sources import has_scheme

WHAT = "noise:WIDTHxHEIGHT?class=N (for the task generate; classes=N goes through them)"
_SPEC = re.compile(r"noise:([1-9]\d{0,3})x([1-9]\d{0,3})(?:\?(.*))?")
_RATE = 2.0


class Noise:
    """A frame of fresh noise at a steady rate, without an end."""

    live = True
    notes: tuple[str, ...] = ()

    def __init__(self, spec: str, width: int, height: int, choices: dict[str, int], rate: float):
        self.name, self.rate = spec, rate
        self.about = f"noise {width}x{height}, {rate:g} frames a second"
        self._shape = (height, width, 3)
        self._first, self._count = choices.get("class", 0), choices.get("classes", 1)
        if not choices:
            self._first = -1
        self._rng = np.random.default_rng(choices.get("seed", 0))
        self._index = 0
        self._begun = time.monotonic()

    def read(self) -> Frame | None:
        """The next one, when its time has come."""
        due = self._begun + self._index / self.rate
        time.sleep(max(0.0, due - time.monotonic()))
        label = self._first + self._index % self._count if self._first >= 0 else -1
        # Gray, so that it stays what it is whatever the order of colors.
        gray = seed_frame((*self._shape[:2], 1), label, self._rng)
        frame = Frame(gray.repeat(3, axis=2), self._index, due, due)
        self._index += 1
        return frame

    def close(self) -> None:
        """Nothing is open."""


def matches(spec: str) -> bool:
    """By the scheme."""
    return has_scheme(spec, "noise")


def open_source(spec: str, settings: SourceSettings) -> Noise:
    """Read the spec.

    Raises:
        EdgecrnnError: it is not written like that.
    """
    found = _SPEC.fullmatch(spec)
    try:
        if found is None:
            raise ValueError(spec)
        width, height = int(found[1]), int(found[2])
        choices = {name: int(value) for name, value in parse_qsl(found[3] or "", True, True)}
        if width % 8 or height % 8 or not choices.keys() <= {"class", "classes", "seed"}:
            raise ValueError(spec)
        if any(not 0 <= value < 10_000 for value in choices.values()):
            raise ValueError(spec)
    except ValueError as error:
        raise EdgecrnnError(
            "source: expected noise:WIDTHxHEIGHT in multiples of 8, with class=N, or classes=N "
            f"to go through them, and seed=N, got {spec!r}"
        ) from error
    if choices.get("classes") == 0:
        del choices["classes"]
    return Noise(spec, width, height, choices, settings.rate or _RATE)
