"""A source that comes and goes: growing pauses, one warning, an end that does not wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.reopen import Reopening, ReopenSettings

IMAGE = np.zeros((2, 2, 3), np.uint8)
QUICK = ReopenSettings(first_pause=0.02, longest_pause=0.08)


class Waits(threading.Event):
    """Every pause is over at once; which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        return self.is_set()


class Short:
    """A source that gives so many frames, then ends or fails."""

    name, about, live, rate = "cam", "short", True, 25.0
    notes: tuple[str, ...] = ()

    def __init__(self, frames: int, error: Exception | None = None):
        self.left, self.error, self.closed, self.count = frames, error, False, 0

    def read(self) -> Frame | None:
        if self.left == 0:
            if self.error is not None:
                raise self.error
            return None
        self.left, self.count = self.left - 1, self.count + 1
        return Frame(IMAGE, self.count - 1, 0.0, 0.0)

    def close(self) -> None:
        self.closed = True


def reopening(
    sources: Sequence[Short | EdgecrnnError], settings: ReopenSettings = QUICK
) -> tuple[Reopening, list[str], list[float]]:
    """One that opens these, its warnings, and the times at which it opened or tried to."""
    following, warnings, times = iter(sources), list[str](), [time.monotonic()]

    def again() -> Short:
        times.append(time.monotonic())
        source = next(following)
        if isinstance(source, EdgecrnnError):
            raise source
        return source

    first = next(following)
    assert isinstance(first, Short)
    return Reopening(first, again, settings, warnings.append), warnings, times


def test_frames_count_on_and_say_which_opening_they_are_of() -> None:
    sources = [Short(3), Short(2, EdgecrnnError("cam: nothing came")), Short(2, OSError("gone"))]
    source, _, _ = reopening([*sources, Short(1)])
    frames = [source.read() for _ in range(8)]
    assert [f.index for f in frames if f] == list(range(8))
    assert [f.opening for f in frames if f] == [0, 0, 0, 1, 1, 2, 2, 3]
    assert (source.reopened, source.attempts) == (3, 3)
    assert source.error == "gone"
    assert all(each.closed for each in sources)


def test_pauses_grow_up_to_the_longest() -> None:
    refused = [EdgecrnnError("cam: refused")] * 5
    source, _, _ = reopening([Short(1), *refused, Short(1)])
    source._stopped = waits = Waits()
    assert source.read() is not None and source.read() is not None
    assert waits.pauses == pytest.approx([0.02, 0.04, 0.08, 0.08, 0.08, 0.08])
    assert source.attempts == 6


def test_a_pause_is_never_shorter_than_said() -> None:
    source, _, times = reopening([Short(1), EdgecrnnError("cam: refused"), Short(1)])
    assert source.read() is not None and source.read() is not None
    for pause, least in zip(np.diff(times), [0.02, 0.04], strict=True):
        assert pause >= least


def test_a_source_that_stayed_for_a_while_is_opened_again_soon() -> None:
    refused = [EdgecrnnError("cam: refused")] * 4
    source, _, _ = reopening([Short(1), *refused, Short(2), Short(1)])
    source._stopped = waits = Waits()
    assert source.read() and source.read()
    time.sleep(2.5 * QUICK.longest_pause)
    assert waits.pauses[-1] == QUICK.longest_pause
    assert source.read() and source.read()
    assert waits.pauses[-1] == QUICK.first_pause


def test_what_comes_and_goes_is_told_once() -> None:
    source, warnings, _ = reopening([Short(1), *[Short(1) for _ in range(5)]])
    for _ in range(6):
        assert source.read()
    assert warnings == ["cam: the stream ended; opening it again", "cam: it is back: short"]


def test_stopping_ends_a_pause_at_once() -> None:
    settings = ReopenSettings(first_pause=30.0, longest_pause=30.0)
    source, _, _ = reopening([Short(0), Short(1)], settings)
    threading.Timer(0.1, source.stop).start()
    began = time.monotonic()
    assert source.read() is None
    assert source.away
    assert time.monotonic() - began < 10
    source.close()


def test_a_longest_pause_below_the_first_is_refused() -> None:
    with pytest.raises(EdgecrnnError, match="longest_pause: expected at least the first pause"):
        ReopenSettings(first_pause=2.0, longest_pause=1.0)
