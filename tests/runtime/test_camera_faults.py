"""A real network camera that is killed, freezes, sends garbage, and comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.runtime.camera import Camera

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.live import Live, LiveSettings, Model
from edgecrnn.runtime.reopen import Reopening, ReopenSettings
from edgecrnn.runtime.sources import open_source

QUICK = ReopenSettings(first_pause=0.1, longest_pause=0.5)


class Kept:
    """Keeps each result, when it came, and the size of its picture."""

    def __init__(self) -> None:
        self.results: list[tuple[float, Result, Frame]] = []

    def write(self, result: Result, frame: Frame) -> None:
        self.results.append((time.monotonic(), result, frame))

    def close(self) -> None:
        pass

    def since(self, moment: float) -> list[tuple[float, Result, Frame]]:
        return [entry for entry in self.results if entry[0] > moment]


class Running:
    """A run in a thread of its own."""

    def __init__(self, bundle: Bundle, camera: Camera, reopen: ReopenSettings, timeout: float):
        self.sink, self.warnings, self._stop = Kept(), list[str](), threading.Event()
        settings = SourceSettings(timeout=timeout)

        def again() -> Any:
            return open_source(camera.url, settings)

        source = Reopening(again(), again, reopen, self.warnings.append)
        model = Model.of(load_engine(bundle), bundle)
        self.live = Live([model], [source], lambda *_: [self.sink], LiveSettings())
        self._thread = threading.Thread(target=self.live.run, args=(self._stop.is_set,))
        self._thread.start()

    def until(self, true: Callable[[], bool], within: float = 30.0) -> float:
        """Seconds that it took to become true."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < within
            time.sleep(0.01)
        return time.monotonic() - began

    def state(self) -> str:
        return self.live.statuses()[0].state

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5.0)
        assert not self._thread.is_alive()


@pytest.fixture
def start(bundle: Bundle, camera: Camera) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def begin(reopen: ReopenSettings = QUICK, timeout: float = 0.5) -> Running:
        made.append(Running(bundle, camera, reopen, timeout))
        return made[-1]

    yield begin
    for each in made:
        each.stop()


@pytest.mark.parametrize("fault", ["kill", "freeze", "garbage", "half"])
def test_decisions_resume_and_none_is_made_meanwhile(
    camera: Camera, start: Callable[..., Running], fault: str
) -> None:
    running = start()
    running.until(lambda: running.state() == "running")
    if fault == "kill":
        camera.kill()
    else:
        camera.say(fault)
    time.sleep(0.1)  # what was on its way when it happened
    gone = time.monotonic()
    running.until(lambda: running.state() == "reopening")
    time.sleep(0.8)
    assert running.sink.since(gone) == []
    back = time.monotonic()
    if fault == "kill":
        camera.start("blue")
    else:
        camera.say("show blue")
    running.until(lambda: bool(running.sink.since(back)), within=5.0)
    running.until(lambda: running.state() == "running")
    after = running.sink.since(back)
    # The state was reset: nothing is known while warming up, then only what is shown now.
    assert [result.label for _, result, _ in after[:3]] == ["unknown", "unknown", "blue"]
    assert all(result.scores[0] < 0.2 for _, result, _ in after)
    assert all(frame.captured > back for _, _, frame in after)
    indices = [result.frame for _, result, _ in running.sink.results]
    assert indices == sorted(set(indices))
    status = running.live.statuses()[0]
    assert (status.reopened, status.resets) == (1, 1)
    assert len(running.warnings) == 2


def test_it_is_back_within_five_seconds_by_the_default_settings(
    camera: Camera, start: Callable[..., Running]
) -> None:
    running = start(ReopenSettings(), SourceSettings().timeout)
    running.until(lambda: running.state() == "running")
    camera.kill()
    running.until(lambda: running.state() == "reopening")
    time.sleep(4.0)
    back = time.monotonic()
    camera.start("green")
    assert running.until(lambda: bool(running.sink.since(back))) < 5.0
    running.until(lambda: running.state() == "running")
    assert time.monotonic() - back < 5.0


def test_another_size_resets_and_nothing_is_opened_again(
    camera: Camera, start: Callable[..., Running]
) -> None:
    running = start()
    running.until(lambda: running.state() == "running")
    camera.say("show green 96x72")
    changed = time.monotonic()
    running.until(lambda: len(running.sink.since(changed + 0.2)) > 4)
    other = [entry for entry in running.sink.results if entry[2].image.shape == (72, 96, 3)]
    assert [result.label for _, result, _ in other[:3]] == ["unknown", "unknown", "green"]
    status = running.live.statuses()[0]
    assert (status.reopened, status.resets) == (0, 1)


def test_a_pause_that_a_person_asks_for_ends_with_a_reset(
    camera: Camera, start: Callable[..., Running]
) -> None:
    running = start()
    running.until(lambda: running.state() == "running")
    stream = running.live.streams[0]
    stream.paused = True
    running.until(lambda: running.state() == "paused")
    time.sleep(0.2)
    paused, dropped = time.monotonic(), running.live.statuses()[0].dropped
    time.sleep(1.0)
    assert running.sink.since(paused) == []
    assert running.live.statuses()[0].dropped > dropped + 10
    stream.paused = False
    running.until(lambda: running.state() == "running")
    labels = [result.label for _, result, _ in running.sink.since(paused)]
    assert labels[:3] == ["unknown", "unknown", "red"]


def test_the_status_tells_rates_and_latency(camera: Camera, start: Callable[..., Running]) -> None:
    running = start()
    running.until(lambda: running.state() == "running")
    time.sleep(2.0)
    status = running.live.statuses()[0]
    assert 10 < status.fps_in < 27
    assert 4 < status.fps_out < 12
    assert status.age is not None and status.age < 1.0
    assert (status.label, status.reopened, status.error) == ("red", 0, "")
    assert "ai-edge-litert" in status.engine and status.delegate == "cpu"
    assert status.operators_taken > 0
    assert status.frames == status.classified + status.paced_out + status.dropped
    assert status.facts()["sink_drops"] == {}
    assert f"{status.source}: running, red" in status.text()
