"""The run of a release as a child: what it says of itself, in the protocol of sd_notify(3)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.notify import FRAMES, not_for_children

# A run that makes no progress for this long is ended; it is to say so three times as often.
WATCHDOG = 30.0  # s
# Loading and the first frame; shaders and NPU programs are made meanwhile.
_START = 180.0  # s
_ENDS = 10.0  # s from SIGTERM to SIGKILL; a run that is well takes under 2
_PR_SET_PDEATHSIG = 1
_MOST_LINE = 4096


class Run:
    """A run that was started; `end` it in any case.

    Args:
        words: its command.
        hear: is given each line that it prints on standard error.

    Attributes:
        pid: of the process.
        frames: that it has classified.
        ready: whether each of its sources has given a frame that was classified.
        status: its own line.

    Raises:
        EdgecrnnError: it cannot be started.
    """

    def __init__(self, words: Sequence[str], hear: Callable[[str], None]):
        self.frames, self.ready, self.status = 0, False, ""
        self._hear, self._rest = hear, b""
        self._selector = selectors.DefaultSelector()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._folder: Path | None = None
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="edgecrnn-"))
            address = str(self._folder / "notify")
            self._socket.bind(address)
            told = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(round(WATCHDOG * 1e6))}
            self._process = subprocess.Popen(
                list(words),
                stdin=subprocess.DEVNULL,
                # Decisions go where the run's own --sink says; a log of them all would fill a card.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
                env={**not_for_children(), **told},
                preexec_fn=_ends_with_parent,
            )
        except OSError as error:
            self._close()
            # A full or read-only /tmp, too: the next try may find it well.
            reason = error.strerror or str(error)
            raise EdgecrnnError(f"{words[0]}: could not be started ({reason})") from error
        assert self._process.stderr is not None
        os.set_blocking(self._process.stderr.fileno(), False)
        self._selector.register(self._socket, selectors.EVENT_READ, self._told)
        self._selector.register(self._process.stderr, selectors.EVENT_READ, self._said)
        self.pid = self._process.pid
        self._fed = self._began = time.monotonic()

    def poll(self, seconds: float) -> int | None:
        """Hear what it says for up to `seconds`; its exit code once it has ended."""
        for key, _ in self._selector.select(seconds):
            key.data()
        code = self._process.poll()
        if code is not None:
            self._told()
            self._said()
        return code

    def hangs(self) -> str:
        """Why it is taken to hang; nothing where it is not."""
        now = time.monotonic()
        if self.ready and now - self._fed > WATCHDOG:
            return f"made no progress for {WATCHDOG:g} s"
        if not self.ready and now - self._began > _START:
            return f"classified no frame within {_START:g} s"
        return ""

    def pass_on(self, number: int) -> None:
        """Pass a signal on."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def end(self, first: int = signal.SIGTERM) -> int:
        """End it, gently at first; gives its exit code."""
        self.pass_on(first)
        until = time.monotonic() + _ENDS
        while self.poll(0.05) is None:
            if time.monotonic() > until:
                self._process.kill()
                until = float("inf")
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._close()
        return self._process.returncode

    def _told(self) -> None:
        """Read the notification socket until it is empty."""
        with contextlib.suppress(BlockingIOError):
            while data := self._socket.recv(_MOST_LINE):
                for line in data.decode("utf-8", "replace").splitlines():
                    self._note(*line.partition("=")[::2])

    def _note(self, name: str, value: str) -> None:
        if name == "READY" and not self.ready:
            self.ready, self._fed = True, time.monotonic()
        elif name == "WATCHDOG":
            self._fed = time.monotonic()
        elif name == "STATUS":
            self.status = value
        elif name == FRAMES and value.isdecimal():
            self.frames = int(value)

    def _said(self) -> None:
        """Read standard error until it is empty; a line is heard once it is whole."""
        assert self._process.stderr is not None
        data = self._process.stderr.read(1 << 16)
        if data == b"" and self._process.stderr in self._selector.get_map():
            self._selector.unregister(self._process.stderr)
        *lines, self._rest = (self._rest + (data or b"")).split(b"\n")
        if len(self._rest) > _MOST_LINE or (data == b"" and self._rest):
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._hear(line.decode("utf-8", "replace"))

    def _close(self) -> None:
        self._selector.close()
        self._socket.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _ends_with_parent() -> None:
    """Where the supervisor is killed, the camera must come free for the next one (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
