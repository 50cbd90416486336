"""One line for a person that is written over and over: label, bar, score, rate, latency."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.printable import printable
from edgecrnn.runtime.sinks._sink import Sink, Stream, Takes

WHAT = "terminal"
TAKES: Takes = "results"

_PAUSE = 0.05  # seconds between two drawings: eyes do not follow more
_BAR = 20
_EASE = 0.1


def matches(spec: str) -> bool:
    """The word alone."""
    return spec == "terminal"


def open_sink(spec: str, stream: Stream) -> Sink:
    """Draw on standard output."""
    return terminal_sink(sys.stdout, stream)


def terminal_sink(output: TextIO, stream: Stream) -> Sink:
    """One line drawn over and over; for several sources a line at each change of label."""
    return (
        TerminalChanges(output, stream) if stream.several else TerminalLine(output, stream.labels)
    )


class TerminalLine:
    """Draws the newest result, at most 20 times a second.

    Args:
        stream: a terminal.
        labels: for the width of the column.
    """

    def __init__(self, stream: TextIO, labels: tuple[str, ...]):
        self._stream = stream
        self._width = min(24, max(len(label) for label in (*labels, UNKNOWN)))
        encoding = (stream.encoding or "ascii").lower()
        self._full, self._empty = ("█", "░") if "utf" in encoding else ("#", ".")
        self._drawn = self._last = float("-inf")
        self._interval = 0.0
        self._pending: Result | None = None
        self._any = False

    def write(self, result: Result, frame: Frame) -> None:
        """Draw the result, or keep it where one was drawn a moment ago."""
        now = time.monotonic()
        elapsed = now - self._last
        if elapsed < float("inf"):
            ease = _EASE if self._interval else 1.0
            self._interval += ease * (elapsed - self._interval)
        self._last = now
        if now - self._drawn < _PAUSE:
            self._pending = result
            return
        self._draw(result)
        self._drawn = now

    def close(self) -> None:
        """Draw the last result and end the line."""
        if self._pending is not None:
            self._draw(self._pending)
        if self._any:
            self._stream.write("\n")
            self._stream.flush()

    def _draw(self, result: Result) -> None:
        self._pending, self._any = None, True
        filled = round(_BAR * min(1.0, max(0.0, result.score)))
        bar = self._full * filled + self._empty * (_BAR - filled)
        rate = f"{1 / self._interval:6.1f}/s" if self._interval else " " * 8
        label = printable(result.label)[: self._width].ljust(self._width)
        line = f"{label} {bar} {result.score:4.0%} {rate} {result.latency_ms:7.1f} ms"
        columns = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r{line[:columns]}\x1b[K")
        self._stream.flush()


class TerminalChanges:
    """A line for each change of a stream's label: when, which source, what.

    Args:
        output: a terminal, shared with the other streams of the run.
        stream: whose results come.
    """

    def __init__(self, output: TextIO, stream: Stream):
        self._output, self._source = output, printable(stream.source)
        self._width = min(24, max(len(label) for label in (*stream.labels, UNKNOWN)))
        self._label: str | None = None

    def write(self, result: Result, frame: Frame) -> None:
        """Write a line where the label is another one."""
        if result.label == self._label:
            return
        self._label = result.label
        label = printable(result.label)[: self._width].ljust(self._width)
        line = f"{time.strftime('%H:%M:%S')}  {label} {result.score:4.0%}  {self._source}"
        self._output.write(f"{line[: shutil.get_terminal_size().columns - 1]}\n")
        self._output.flush()

    def close(self) -> None:
        """Nothing is held."""
