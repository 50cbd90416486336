from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from edgecrnn.train.data.prefetch import Prefetch


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert holds()


def prefetchers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "prefetch"]


def test_prefetch_keeps_the_order() -> None:
    assert list(Prefetch(iter(range(50)))) == list(range(50))
    assert prefetchers() == []


def test_prefetch_works_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(10):
            made.append(i)
            yield i

    ahead = Prefetch(items(), depth=3)
    # Before anything is asked for: three in line, one in hand.
    wait_until(lambda: made == [0, 1, 2, 3])
    next(ahead)
    wait_until(lambda: made == [0, 1, 2, 3, 4])
    ahead.close()


def test_prefetch_passes_exceptions_on() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("from the thread")

    ahead = Prefetch(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="from the thread"):
        next(ahead)
    assert prefetchers() == []


@pytest.mark.parametrize("used", [0, 1])
@pytest.mark.parametrize("dropped", [False, True])
def test_closing_or_dropping_it_ends_the_thread_and_the_iterator(used: int, dropped: bool) -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    ahead = Prefetch(items())
    for _ in range(used):
        next(ahead)
    if dropped:
        del ahead
    else:
        ahead.close()
        assert next(ahead, None) is None
    wait_until(lambda: prefetchers() == [] and closed.is_set())
