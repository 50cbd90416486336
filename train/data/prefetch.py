"""Makes the next items of an iterator while the ones before are used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
M = TypeVar("M")
_Line = queue.Queue[tuple[bool, "T | BaseException | None"]]
_WAIT = 0.1  # seconds between looks at whether the reader has gone


class Prefetch(Generic[T]):
    """The items of an iterator, made by a thread that starts at once and is `depth` ahead.

    What the iterator raises is raised here, after the items before it. Closing, or dropping the
    last reference, ends the thread and closes the iterator.
    """

    def __init__(self, iterator: Iterator[T], depth: int = 2) -> None:
        self._line: _Line[T] = queue.Queue(depth)
        self._stop = threading.Event()
        # The thread must not hold this object: dropping it is what ends the thread.
        self._thread = threading.Thread(
            target=_work, args=(iterator, self._line, self._stop), name="prefetch", daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Prefetch[T]:
        return self

    def __next__(self) -> T:
        """The next item; waits for it."""
        if self._stop.is_set():
            raise StopIteration
        going, value = self._line.get()
        if going:
            return value  # type: ignore[return-value]
        self.close()
        if isinstance(value, BaseException):
            raise value
        raise StopIteration

    def close(self) -> None:
        """End the thread; there are no more items."""
        self._stop.set()
        self._thread.join()

    def __del__(self) -> None:
        """Let the thread end by itself: whoever drops this may be that thread's own work."""
        self._stop.set()


def _work(iterator: Iterator[T], line: _Line[T], stop: threading.Event) -> None:
    try:
        for item in iterator:
            if not put(line, (True, item), stop):
                break
        else:
            put(line, (False, None), stop)
    except BaseException as error:
        put(line, (False, error), stop)
    finally:
        if isinstance(iterator, Generator):
            iterator.close()


def put(line: queue.Queue[M], message: M, stop: threading.Event) -> bool:
    """Whether the message was taken before the reader went away, which it says by `stop`."""
    while not stop.is_set():
        try:
            line.put(message, timeout=_WAIT)
            return True
        except queue.Full:
            continue
    return False
