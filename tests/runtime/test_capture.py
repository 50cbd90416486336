"""The newest frame of a live source, never a queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from edgecrnn.runtime.capture import NewestFrame
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame

IMAGE = np.zeros((2, 2, 3), np.uint8)


class Counter:
    """A live source of numbered frames that its test lets go."""

    name = about = "counter"
    live = True
    rate: float | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, frames: int, interval: float = 0.0, error: Exception | None = None):
        self.frames, self.interval, self.error = frames, interval, error
        self.count = 0
        self.closed = False
        self.go = threading.Semaphore(0)

    def read(self) -> Frame | None:
        if self.interval:
            time.sleep(self.interval)
        else:
            self.go.acquire()
        if self.count == self.frames:
            if self.error:
                raise self.error
            return None
        self.count += 1
        now = time.monotonic()
        return Frame(IMAGE, self.count - 1, now, now)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def released() -> Iterator[list[Counter]]:
    sources: list[Counter] = []
    yield sources
    for source in sources:
        source.go.release(100)


def next_of(capture: NewestFrame, timeout: float) -> Frame | None:
    """The next frame, as the step thread waits for it."""
    with capture._changed:
        if not capture.ready:
            capture._changed.wait(timeout)
    return capture.take()


def soon() -> float:
    return time.monotonic() + 1.0


def wait_for(capture: NewestFrame, read: int) -> None:
    deadline = time.monotonic() + 5
    while capture.read < read:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_slow_reader_gets_the_newest_and_the_rest_is_counted() -> None:
    source = Counter(9)
    capture = NewestFrame(source, threading.Condition())
    capture.start()
    indices = []
    for frames in (1, 5, 3):
        source.go.release(frames)
        wait_for(capture, capture.read + frames)
        frame = next_of(capture, 1.0)
        assert frame is not None
        indices.append(frame.index)
    assert indices == [0, 5, 8]
    assert (capture.read, capture.dropped) == (9, 6)
    source.go.release()
    while not capture.ended:
        assert next_of(capture, 1.0) is None
    capture.close(soon())
    assert source.closed
    assert not capture.hung


def test_no_frame_is_given_twice(released: list[Counter]) -> None:
    source = Counter(5)
    released.append(source)
    capture = NewestFrame(source, threading.Condition())
    capture.start()
    source.go.release()
    assert next_of(capture, 1.0) is not None
    began = time.monotonic()
    assert next_of(capture, 0.1) is None
    assert time.monotonic() - began >= 0.09
    assert not capture.ended
    source.go.release(10)
    capture.close(soon())


def test_a_waiting_reader_is_woken_at_once() -> None:
    capture = NewestFrame(Counter(3, interval=0.05), threading.Condition())
    capture.start()
    ages = []
    while (frame := next_of(capture, 60.0)) is not None:
        ages.append(time.monotonic() - frame.captured)
    assert len(ages) == 3
    # Not at the end of its patience.
    assert max(ages) < 30
    capture.close(soon())


def test_the_last_frame_comes_before_the_end_and_the_error() -> None:
    source = Counter(1, error=EdgecrnnError("camera: unplugged"))
    capture = NewestFrame(source, threading.Condition())
    source.go.release(2)
    capture.start()
    assert next_of(capture, 1.0) is not None
    with pytest.raises(EdgecrnnError, match="unplugged"):
        for _ in range(100):
            next_of(capture, 0.1)
    capture.close(soon())


def test_a_read_that_hangs_is_told_and_not_closed_under_it(released: list[Counter]) -> None:
    source = Counter(1)
    released.append(source)
    capture = NewestFrame(source, threading.Condition())
    capture.start()
    began = time.monotonic()
    capture.close(soon())
    assert time.monotonic() - began < 10
    assert capture.hung
    assert not source.closed


def test_one_that_was_never_started_closes_its_source() -> None:
    source = Counter(1)
    NewestFrame(source, threading.Condition()).close(soon())
    assert source.closed
