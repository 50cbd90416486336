"""RTSP from a real server."""

from __future__ import annotations

import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import open_source

pytestmark = pytest.mark.rtsp

# The server's bindings are Debian's, for the system's own Python.
PYTHON = Path("/usr/bin/python3")
PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0')\n"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None)\n"
    "assert all(Gst.ElementFactory.find(n) for n in ('videotestsrc', 'x264enc', 'rtph264pay'))"
)


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address of its stream."""
    if (
        not PYTHON.exists()
        or subprocess.run([PYTHON, "-c", PROBE], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs python3-gi, gir1.2-gst-rtsp-server-1.0 and gstreamer1.0-plugins-ugly")
    script = Path(__file__).with_name("rtsp_server.py")
    process = subprocess.Popen(
        [PYTHON, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    yield process, f"rtsp://127.0.0.1:{port}/color"
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()


def test_frames_come_live(server: tuple[subprocess.Popen[str], str]) -> None:
    source = open_source(server[1], SourceSettings(timeout=5.0))
    assert source.live
    assert "160x120" in source.about
    frames = [source.read() for _ in range(20)]
    source.close()
    kept = [f for f in frames if f is not None]
    assert len(kept) == 20
    assert all(a.index < b.index for a, b in itertools.pairwise(kept))
    assert np.mean([f.image[..., 2].mean() for f in kept]) > 200
    # At the server's rate from the first one on: what it sent while it was opened is left out.
    assert 0.4 < kept[-1].time - kept[0].time < 3.0


def test_a_server_that_freezes_is_told_in_time_and_gives_no_stale_frame(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = server
    source = open_source(url, SourceSettings(timeout=2.0))
    for _ in range(5):
        assert source.read() is not None
    process.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    with pytest.raises(EdgecrnnError, match=r"expected a frame within 2 s, got none"):
        while (frame := source.read()) is not None:
            # What was on its way when it froze may still come, nothing later.
            assert frame.time - stopped < 1.7
    # A read that OpenCV says is ok after its time-out is the first sign, and enough.
    assert time.monotonic() - stopped < 6.0
    source.close()


def test_a_short_stall_gives_no_frame_from_before_it(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = server
    source = open_source(url, SourceSettings(timeout=10.0))
    frames = [source.read() for _ in range(10)]
    process.send_signal(signal.SIGSTOP)
    time.sleep(2.0)
    process.send_signal(signal.SIGCONT)
    stalled, after = frames[-1], source.read()
    source.close()
    # The server sends the two seconds that it missed in a burst: what is older than half a second
    # is left out.
    assert stalled is not None and after is not None
    assert after.index - stalled.index > 20
    assert after.time - stalled.time > 1.5


def test_a_path_that_is_not_served_is_told(server: tuple[subprocess.Popen[str], str]) -> None:
    with pytest.raises(EdgecrnnError, match="expected a first frame, got none; check the path"):
        open_source(server[1] + "/no", SourceSettings(timeout=2.0))
