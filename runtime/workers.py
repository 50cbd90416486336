"""Step threads: each has an engine of its own, and takes turns among the streams that it serves."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from edgecrnn.runtime.model import Model
from edgecrnn.runtime.streams import LiveStream

# How long a wait may last before a thread looks whether it should stop.
GLANCE = 0.1


def interpreters_for(sources: int, threads: int) -> int:
    """How many interpreters, each with a thread of its own, serve so many sources best.

    One a core: with 8 sources on 2 cores two decided 802 frames a second where one decided 638,
    and the latency's p95 was 3 ms in place of 12; one a source was no faster
    (`bench/many_sources.py`).

    Args:
        sources: of the run.
        threads: CPU threads of each interpreter.
    """
    return max(1, min(sources, len(os.sched_getaffinity(0)) // threads))


class Worker:
    """Classifies the newest frame of each of its streams in turn.

    Args:
        changed: what their feeds notify.
        ended: is set when a stream of it, or the thread itself, has ended.
    """

    def __init__(self, changed: threading.Condition, ended: threading.Event):
        self.streams: list[LiveStream] = []
        self.error: BaseException | None = None
        self.next: Model | None = None
        self._changed, self._ended = changed, ended
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="step", daemon=True)

    def start(self) -> None:
        """Begin with the streams that were put into `streams`."""
        for stream in self.streams:
            stream.feed.start()
        self._thread.start()

    def stop(self) -> None:
        """End after the frame that is under way; waits for nothing."""
        self._stop = True
        with self._changed:
            self._changed.notify_all()

    def ends(self, within: float) -> bool:
        """Whether its thread has ended; waits for so many seconds at most."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            open_streams = list(self.streams)
            while open_streams and not self._stop:
                if (model := self.next) is not None:
                    self.next = None
                    for stream in open_streams:
                        stream.go_on_with(model)
                took = [stream.turn() for stream in open_streams]
                if any(stream.end for stream in open_streams):
                    open_streams = [stream for stream in open_streams if not stream.end]
                    self._ended.set()
                elif not any(took):
                    self._wait(open_streams)
        except BaseException as error:
            # Told to whoever asked for the run: a thread that dies alone would look like silence.
            self.error = error
        self._ended.set()

    def _wait(self, streams: Sequence[LiveStream]) -> None:
        """Until one of them has a frame, a moment at most."""
        dues = [due for stream in streams if (due := stream.feed.due) is not None]
        longest = min([GLANCE, *(due - time.monotonic() for due in dues)])
        if longest <= 0:
            return
        with self._changed:
            if not any(stream.feed.ready for stream in streams) and not self._stop:
                self._changed.wait(longest)
