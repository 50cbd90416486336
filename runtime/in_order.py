"""Every frame of a file in order, as fast as it goes or at its own speed."""

from __future__ import annotations

import time
from typing import Protocol

from edgecrnn.runtime.frame import Frame, Source
from edgecrnn.runtime.tally import Rate


class Feed(Protocol):
    """Where a stream's frames come from: `NewestFrame` or `InOrder`."""

    rate: Rate
    read: int
    dropped: int
    hung: bool

    @property
    def ready(self) -> bool:
        """Whether `take` has something to give or to raise, or the source has ended."""

    @property
    def due(self) -> float | None:
        """The monotonic time at which `ready` turns true by itself; None where it notifies."""

    @property
    def ended(self) -> bool:
        """Whether no more frames come."""

    def start(self) -> None:
        """Begin to read."""

    def take(self) -> Frame | None:
        """The next frame; None where there is none yet, or none any more.

        Raises:
            EdgecrnnError: what the source raised.
        """

    def stop(self) -> None:
        """Read no more; waits for nothing."""

    def close(self, deadline: float) -> None:
        """Close the source, by the monotonic time `deadline`."""


class InOrder:
    """Reads a file where its frames are taken; none is dropped.

    Args:
        source: open.
        realtime: whether each frame waits until its time has come.
    """

    dropped = 0
    hung = False

    def __init__(self, source: Source, realtime: bool):
        self._source, self._realtime = source, realtime
        self._held: Frame | None = None
        self._ahead: float | None = None
        self.read = 0
        self.rate = Rate()
        self.ended = False

    def start(self) -> None:
        """Nothing is read before it is asked for."""

    @property
    def ready(self) -> bool:
        """Whether the next frame's time has come."""
        return self.due is None or time.monotonic() >= self.due

    @property
    def due(self) -> float | None:
        """When the next frame's time comes; None where it need not wait."""
        if self._held is None or self._ahead is None:
            return None
        return self._ahead + self._held.time

    def take(self) -> Frame | None:
        """The next frame, once its time has come."""
        frame, self._held = self._held or self._next(), None
        if frame is None or not self._realtime:
            return frame
        if self._ahead is None:
            self._ahead = time.monotonic() - frame.time
        now = time.monotonic()
        if now < self._ahead + frame.time:
            self._held = frame
            return None
        return Frame(frame.image, frame.index, frame.time, now)

    def stop(self) -> None:
        """Nothing is read unless it is asked for."""

    def close(self, deadline: float) -> None:
        """Close the file."""
        self._source.close()

    def _next(self) -> Frame | None:
        frame = self._source.read()
        if frame is None:
            self.ended = True
            return None
        self.read += 1
        self.rate.add(time.monotonic())
        return frame
