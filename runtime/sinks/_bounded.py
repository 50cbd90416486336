"""Runs any sink in a thread of its own, so that none can slow the step thread down."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks._sink import Counts, Sink, Takes, Waits

# Results waiting at most; few where each holds a picture of a megabyte.
_DEPTH: dict[Takes, int] = {"results": 128, "changes": 256, "frames": 16}
_NO_PICTURE = np.empty((0, 0, 3), np.uint8)
_CALM = 60.0  # seconds between two warnings of one sink
_CLOSE = 1.5  # seconds that closing may take
_SETTLES = 3.0  # seconds after which a connection that is not there yet is worth a warning


class Bounded:
    """A sink behind a bounded queue: the oldest result is dropped and counted, never waited for.

    Args:
        sink: is called by one thread only.
        name: without passwords.
        takes: what of the results reaches it; the rest is left out before the queue.
        wait: for results that no clock makes (a file's): none is dropped, `write` waits for room,
            and what a sink of all results raises is raised there.
        warn: is told of failures, at most once a minute.
        depth: results waiting at most.
    """

    def __init__(
        self,
        sink: Sink,
        name: str,
        takes: Takes = "results",
        wait: bool = False,
        warn: Callable[[str], None] = lambda sentence: None,
        depth: int | None = None,
    ):
        self.name = name
        self.failed = 0
        self._sink, self._takes, self._wait, self._warn = sink, takes, wait, warn
        self._depth = depth or _DEPTH[takes]
        self._queue: deque[tuple[Result, Frame]] = deque()
        self._changed = threading.Condition()
        self._finishing = self._stopped = self._let_go = False
        self._dropped = 0
        self._error = ""
        self._raised: BaseException | None = None
        self._label: str | None = None
        self._warned = float("-inf")
        self._began = time.monotonic()
        self._counts = sink if isinstance(sink, Counts) else None
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Results that were never written: pushed out, failed, or dropped by the sink itself."""
        own = self._counts.dropped if self._counts is not None else 0
        return self._dropped + self.failed + own

    @property
    def error(self) -> str:
        """Why the newest results were not written; empty while all is well."""
        return self._error or (self._counts.error if self._counts is not None else "")

    def write(self, result: Result, frame: Frame) -> None:
        """Queue one result.

        Raises:
            BrokenPipeError: the sink's reader left.
            EdgecrnnError: a file's result could not be written.
        """
        if self._takes == "changes":
            if result.label == self._label:
                return
            self._label = result.label
        if self._takes != "frames":
            # A queue of pictures would be a hundred megabytes.
            frame = Frame(_NO_PICTURE, frame.index, frame.time, frame.captured)
        with self._changed:
            if self._wait:
                self._changed.wait_for(self._has_news)
            if self._raised is not None:
                raise self._raised
            if len(self._queue) >= self._depth and self._let_go:
                self._dropped += 1
                return
            if len(self._queue) >= self._depth:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append((result, frame))
            self._changed.notify_all()

    def let_go(self) -> None:
        """Have `write` wait for room no more: what finds none, at the end, is not written."""
        with self._changed:
            self._let_go = True
            self._changed.notify_all()

    def finish(self) -> None:
        """Say that no more results come; what is queued is still written."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    def ended(self, deadline: float) -> bool:
        """Whether everything is written; waits until the monotonic time `deadline` at most."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def drained(self, deadline: float) -> bool:
        """Whether nothing is left to write but what waits for somebody else than a disk."""
        return isinstance(self._sink, Waits) or self.ended(deadline)

    def stop(self) -> None:
        """Write nothing more that is queued, and wait for nobody."""
        with self._changed:
            self._stopped = self._finishing = True
            self._dropped += len(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        if isinstance(self._sink, Waits):
            self._sink.stop()

    def close(self) -> None:
        """Write what is queued, for a second and a half at most.

        Raises:
            BrokenPipeError: the sink's reader left.
            EdgecrnnError: a file's result could not be written.
        """
        self.finish()
        if not self.ended(time.monotonic() + _CLOSE):
            self.stop()
        self.check()

    def check(self) -> None:
        """Raise what ended the sink's thread, if anything did."""
        if self._raised is not None:
            raise self._raised

    def _has_news(self) -> bool:
        """Whether one who waits for room need wait no longer."""
        return len(self._queue) < self._depth or self._let_go or self._raised is not None

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            if not self._handle(lambda: self._sink.write(*entry), 1):
                return
        self._handle(self._sink.close, 0)

    def _next(self) -> tuple[Result, Frame] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._finishing)
            if not self._queue:
                return None
            entry = self._queue.popleft()
            self._changed.notify_all()
            return entry

    def _handle(self, call: Callable[[], None], results: int) -> bool:
        """Whether to go on after the call."""
        try:
            call()
            self._error = ""
            if self.error and time.monotonic() - self._began >= _SETTLES:
                self._tell()
            return True
        except (EdgecrnnError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                return self._end(error)
            if self._wait and self._takes == "results":
                # A table with holes is no table; a bell that did not ring is warned of.
                return self._end(EdgecrnnError(f"{self.name}: {_said(error)}"))
            self.failed += results
            self._error = _said(error)
            self._tell()
            return True
        except BaseException as error:
            # A defect: a thread that dies alone would look like a sink with nothing to say.
            return self._end(error)

    def _tell(self) -> None:
        """Warn of the newest error, unless that was done lately."""
        if time.monotonic() - self._warned >= _CALM:
            self._warned = time.monotonic()
            self._warn(f"{self.name}: {self.error}")

    def _end(self, error: BaseException) -> bool:
        with self._changed:
            self._raised, self._error = error, _said(error)
            self._changed.notify_all()
        return False


def _said(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
