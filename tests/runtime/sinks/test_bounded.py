"""A sink in a thread of its own: the step thread never waits for it."""

from __future__ import annotations

import threading
import time

import pytest
from tests.runtime.sinks.made import a_frame, a_result, eventually

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks import Bounded, Takes, _bounded, close_sinks


class Slow:
    """Keeps what it is given, once it is let go."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.go = threading.Event()
        self.taken: list[tuple[Result, Frame]] = []
        self.closed = False
        self.error_raised = error

    def write(self, result: Result, frame: Frame) -> None:
        self.go.wait()
        if self.error_raised is not None:
            raise self.error_raised
        self.taken.append((result, frame))

    def close(self) -> None:
        self.closed = True

    def stop(self) -> None:
        self.go.set()

    def frames(self) -> list[int]:
        return [result.frame for result, _ in self.taken]


def test_a_sink_that_hangs_costs_the_step_thread_nothing() -> None:
    slow = Slow()
    sink = Bounded(slow, "slow", depth=16)
    began = time.perf_counter()
    for number in range(2000):
        sink.write(a_result("cat", number), a_frame(number))
    spent = time.perf_counter() - began
    assert spent < 0.5
    slow.go.set()
    sink.close()
    # One may have been in its hands when it hung; the newest are there, in order.
    assert slow.frames()[-16:] == list(range(1984, 2000))
    assert sink.dropped == 2000 - len(slow.taken)
    assert slow.closed


def test_a_file_waits_and_loses_nothing() -> None:
    slow = Slow()
    sink = Bounded(slow, "file", wait=True, depth=4)
    threading.Timer(0.2, slow.go.set).start()
    for number in range(100):
        sink.write(a_result("cat", number), a_frame(number))
    sink.close()
    assert slow.frames() == list(range(100))
    assert sink.dropped == 0


def test_changes_are_told_apart_before_the_queue() -> None:
    slow = Slow()
    sink = Bounded(slow, "changes", "changes", depth=16)
    for number in range(1000):
        sink.write(a_result("cat" if number % 200 < 100 else "dog", number), a_frame(number))
    slow.go.set()
    sink.close()
    assert slow.frames() == list(range(0, 1000, 100))
    assert sink.dropped == 0


@pytest.mark.parametrize(
    ("takes", "size"), [("results", 0), ("changes", 0), ("frames", a_frame().image.size)]
)
def test_pictures_stay_out_of_the_queue_of_who_needs_none(takes: Takes, size: int) -> None:
    slow = Slow()
    slow.go.set()
    sink = Bounded(slow, takes, takes)
    sink.write(a_result("cat"), a_frame())
    sink.close()
    ((_, frame),) = slow.taken
    assert frame.image.size == size


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), EdgecrnnError("no")])
def test_a_live_stream_goes_on_when_a_sink_fails_and_warns_once(error: Exception) -> None:
    warnings: list[str] = []
    slow = Slow(error)
    slow.go.set()
    sink = Bounded(slow, "jsonl:a", warn=warnings.append)
    for number in range(20):
        sink.write(a_result("cat", number), a_frame(number))
    assert eventually(lambda: sink.failed == 20)
    (warning,) = warnings
    assert warning.startswith("jsonl:a: ")
    assert sink.error in warning
    slow.error_raised = None
    sink.write(a_result("cat", 20), a_frame(20))
    assert eventually(lambda: slow.frames() == [20])
    assert (sink.error, sink.dropped) == ("", 20)
    sink.close()


def test_a_sink_that_drops_by_itself_is_warned_of_once_it_had_time_to_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Away:
        dropped, error = 0, "the broker cannot be reached"

        def write(self, result: Result, frame: Frame) -> None:
            """Keeps it for later."""

        def close(self) -> None:
            """Nothing is held."""

    warnings: list[str] = []
    for settles in (60.0, 0.0):
        monkeypatch.setattr(_bounded, "_SETTLES", settles)
        sink = Bounded(Away(), "mqtt://door", warn=warnings.append)
        for number in range(5):
            sink.write(a_result("cat", number), a_frame(number))
        sink.close()
    assert warnings == ["mqtt://door: the broker cannot be reached"]


def test_a_file_ends_where_its_results_cannot_be_written() -> None:
    slow = Slow(OSError(28, "No space left on device"))
    slow.go.set()
    sink = Bounded(slow, "jsonl:a", wait=True, depth=2)
    with pytest.raises(EdgecrnnError, match="jsonl:a: No space left on device"):
        for number in range(100):
            sink.write(a_result("cat", number), a_frame(number))


def test_a_file_goes_on_where_a_command_fails() -> None:
    warnings: list[str] = []
    slow = Slow(EdgecrnnError("the command ended with code 1"))
    slow.go.set()
    sink = Bounded(slow, "exec:bell", "changes", wait=True, warn=warnings.append)
    for number in range(10):
        sink.write(a_result("cat" if number % 2 else "dog", number), a_frame(number))
    sink.close()
    assert (sink.failed, warnings) == (10, ["exec:bell: the command ended with code 1"])


@pytest.mark.parametrize("error", [BrokenPipeError(), ZeroDivisionError("a defect")])
def test_a_reader_that_left_and_a_defect_are_told(error: Exception) -> None:
    slow = Slow(error)
    slow.go.set()
    sink = Bounded(slow, "terminal")
    sink.write(a_result("cat"), a_frame())
    assert eventually(lambda: sink.error)
    with pytest.raises(type(error)):
        sink.write(a_result("cat"), a_frame())


def test_closing_is_over_in_time_and_counts_what_was_left() -> None:
    slow = [Slow() for _ in range(3)]
    sinks = [Bounded(each, "slow") for each in slow]
    for sink in sinks:
        for number in range(50):
            sink.write(a_result("cat", number), a_frame(number))
    began = time.monotonic()
    close_sinks(sinks, within=1.0)
    assert time.monotonic() - began < 30
    for each, sink in zip(slow, sinks, strict=True):
        # The one in hand is written when it is told to wait no longer.
        assert len(each.taken) + sink.dropped == 50
        assert each.closed
