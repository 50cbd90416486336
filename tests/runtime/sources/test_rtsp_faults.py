"""A run on a real RTSP server that freezes, is killed, and comes back with another picture."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.sources.test_rtsp import PROBE, PYTHON
from tests.runtime.test_camera_faults import Kept

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.frame import Source, SourceSettings
from edgecrnn.runtime.live import Live, LiveSettings, Model
from edgecrnn.runtime.reopen import Reopening, ReopenSettings
from edgecrnn.runtime.sources import open_source

pytestmark = [pytest.mark.rtsp, pytest.mark.slow]

TIMEOUT = 2.0


class Server:
    """The server's process; `start` again takes the same port."""

    def __init__(self) -> None:
        self.port = "0"
        self.start("red", "160x120")

    def start(self, color: str, size: str) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        self.process = subprocess.Popen(
            [PYTHON, script, self.port, color, size],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = self.process.stdout.readline().strip()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/color"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server() -> Iterator[Server]:
    if (
        not PYTHON.exists()
        or subprocess.run([PYTHON, "-c", PROBE], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs python3-gi, gir1.2-gst-rtsp-server-1.0 and gstreamer1.0-plugins-ugly")
    made = Server()
    yield made
    made.kill()


def until(true: object, within: float = 60.0) -> float:
    """Seconds that it took to become true."""
    assert callable(true)
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize("fault", ["frozen", "killed"])
def test_decisions_resume_and_none_is_stale(bundle: Bundle, server: Server, fault: str) -> None:
    def again() -> Source:
        return open_source(server.url, SourceSettings(timeout=TIMEOUT))

    sink, warnings, stop = Kept(), list[str](), threading.Event()
    source = Reopening(again(), again, ReopenSettings(), warnings.append)
    model = Model.of(load_engine(bundle), bundle)
    live = Live([model], [source], lambda *_: [sink], LiveSettings())
    thread = threading.Thread(target=live.run, args=(stop.is_set,))
    thread.start()
    try:
        until(lambda: live.statuses()[0].state == "running")
        if fault == "killed":
            server.kill()
        else:
            server.process.send_signal(signal.SIGSTOP)
        gone = time.monotonic()
        until(lambda: live.statuses()[0].state == "reopening")
        # What was on its way may still come, nothing after it.
        assert all(frame.captured < gone + 0.5 for _, _, frame in sink.results)
        if fault == "killed":
            server.start("blue", "320x240")
        else:
            server.process.send_signal(signal.SIGCONT)
        back = time.monotonic()
        took = until(lambda: bool(sink.since(back)))
        after = sink.since(back)
        assert took < 5.0
        assert after[0][1].label == "unknown"  # its memory was reset
        until(lambda: live.statuses()[0].state == "running")
        status = live.statuses()[0]
        assert (status.reopened, status.resets) == (1, 1)
        shape = (240, 320, 3) if fault == "killed" else (120, 160, 3)
        after = sink.since(back)
        assert {frame.image.shape for _, _, frame in after} == {shape}
        assert {result.label for _, result, _ in after} == {
            "unknown",
            "blue" if fault == "killed" else "red",
        }
        assert len(warnings) == 2 and "it is back" in warnings[1]
    finally:
        stop.set()
        thread.join(20.0)
        assert not thread.is_alive()
