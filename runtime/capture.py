"""A thread that reads a live source and keeps only its newest frame, never a queue of old ones."""

from __future__ import annotations

import threading
import time
from typing import Protocol, runtime_checkable

from edgecrnn.runtime.frame import Frame, Source
from edgecrnn.runtime.tally import Rate


@runtime_checkable
class Stoppable(Protocol):
    """A source whose read may wait for long."""

    def stop(self) -> None:
        """End the read that is under way, soon."""


class NewestFrame:
    """Gives the newest frame of a live source to one reader; counts those that it overtook.

    Where a read hangs in a driver at the end the source is left open and `hung` says so: closing a
    capture under another thread's read crashes.

    Args:
        source: open.
        changed: is notified when `ready` turns true; one for several sources with one reader.
    """

    def __init__(self, source: Source, changed: threading.Condition):
        self._source, self._changed = source, changed
        self._frame: Frame | None = None
        self._error: Exception | None = None
        self._ended = self._stopping = False
        self.read = self.dropped = 0
        self.rate = Rate()
        self.hung = False
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more; waits for nothing."""
        self._stopping = True
        if isinstance(self._source, Stoppable):
            self._source.stop()

    def close(self, deadline: float) -> None:
        """End the thread and close the source; a read may take until monotonic time `deadline`."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        self.hung = self._thread.is_alive()
        if not self.hung:
            self._source.close()

    @property
    def ready(self) -> bool:
        """Whether there is a frame, or the source has ended."""
        return self._frame is not None or self._ended

    @property
    def ended(self) -> bool:
        """Whether the source has ended and its last frame was taken."""
        return self._ended and self._frame is None

    @property
    def due(self) -> None:
        """When to look again: never, the reader is notified."""

    def take(self) -> Frame | None:
        """The newest frame that was not given yet; None where there is none.

        Raises:
            EdgecrnnError: what the source raised, after the last frame.
        """
        with self._changed:
            frame, self._frame = self._frame, None
        if frame is None and self._ended and self._error is not None:
            raise self._error
        return frame

    def _run(self) -> None:
        try:
            while not self._stopping:
                frame = self._source.read()
                if frame is None:
                    break
                self.rate.add(time.monotonic())
                with self._changed:
                    self.read += 1
                    self.dropped += self._frame is not None
                    self._frame = frame
                    self._changed.notify()
        except Exception as error:
            # Told to the reader: a thread that dies alone would look like a silent camera.
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()
