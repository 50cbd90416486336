"""A program that writes frames to its standard output, as a live source.

The program may hang, die or write garbage: it runs in a process group of its own that is ended from
here, a thread empties its pipe, and only its newest whole frame is kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.opencv import quiet
from edgecrnn.runtime.sources._split import Split

_BLOCK = 1 << 18
_PIPE = 1 << 20  # bytes that the pipe may hold: fewer wake-ups for large frames
_GRACE = 0.5  # seconds between SIGTERM and SIGKILL
_WORDS_AFTER = 0.3  # seconds for which last words are awaited when the output has ended
_TAIL = 4096  # bytes of standard error that are kept
_WIDEST = 200  # characters of it that are shown
# Those that were started and not closed.
_running: set[Child] = set()
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_SECRET = re.compile(r"://[^\s/@]*@")


class Child:
    """The newest whole frame of a program.

    Args:
        name: for sentences; no passwords.
        words: program and arguments; no shell reads them.
        split: takes the frames out of its output.
        timeout: seconds in which a frame must come.
        mend: what the person can do where none comes.

    Raises:
        EdgecrnnError: it cannot be started, or gave no frame.
    """

    live = True
    rate: float | None = None

    def __init__(self, name: str, words: Sequence[str], split: Split, timeout: float, mend: str):
        self.name = name
        self._split, self._timeout, self._mend = split, timeout, mend
        self._count = self._damaged = 0
        self._changed = threading.Condition()
        self._newest: tuple[bytes, int, float] | None = None
        self._ended = self._stopped = False
        self._tail = b""
        quiet()
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise EdgecrnnError(
                f"{name}: expected a program that can be run, got {reason.lower()}; "
                "check its name and whether it is executable"
            ) from error
        _running.add(self)
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._empty, name="child", daemon=True)
        self._thread.start()
        self._first: Frame | None = None
        try:
            first = self.read()
            if first is None:
                raise EdgecrnnError(self._sentence("a first frame", self._end()))
        except BaseException:
            self.close()
            raise
        self._first = first
        self.size = (first.image.shape[1], first.image.shape[0])
        shape = f"{self.size[0]}x{self.size[1]}"
        self.about = f"{split.what} {shape} from {Path(words[0]).name}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Says how many frames were damaged."""
        bad = self._damaged + self._split.bad
        return (f"{self.name}: left out {bad} damaged frames",) if bad else ()

    def read(self) -> Frame | None:
        """The newest frame that was not given yet; None where the program ended in order.

        Raises:
            EdgecrnnError: none came in time, or the program failed.
        """
        deadline = time.monotonic() + self._timeout
        while True:
            with self._changed:
                # The frame that proved it open is not given after a newer one.
                if self._newest is None and self._first is not None:
                    held, self._first = self._first, None
                    return held
                while self._newest is None and not self._ended and not self._stopped:
                    left = deadline - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        break
                taken, self._newest = self._newest, None
                ended = self._ended
            if self._stopped:
                return None
            if taken is not None:
                frame, index, captured = taken
                image = self._split.image(frame)
                if image is not None:
                    self._first = None
                    return Frame(image, index, captured, captured)
                self._damaged += 1
            elif ended:
                self._finish()
                return None
            if time.monotonic() >= deadline:
                awaited = f"a frame within {self._timeout:g} s"
                raise EdgecrnnError(self._sentence(awaited, "got none"))

    def stop(self) -> None:
        """End the read that is under way, and the program."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._signal(signal.SIGTERM)

    def close(self) -> None:
        """End the program and all that it started."""
        self.stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        # The group, too: what the program started may go on without it.
        self._signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            # One that hangs in a driver ends when the driver lets it.
            self._process.wait(_GRACE)
        _running.discard(self)
        if self._waker >= 0:
            os.close(self._waker)
            self._waker = -1
        self._thread.join()

    def _finish(self) -> None:
        """Raise where the program did not do what it should."""
        rest = self._split.rest()
        # Its pipe is closed, but it may be on its way out for a moment yet.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        if self._process.poll() not in (0, None):
            raise EdgecrnnError(self._sentence("frames", self._end()))
        if rest:
            raise EdgecrnnError(f"{self.name}: expected {rest}")

    def _end(self) -> str:
        code = self._process.poll()
        if code is None:
            return "got the end of its output"
        if code < 0:
            return f"got its end by {signal.Signals(-code).name}"
        return f"got its end with code {code}"

    def _sentence(self, awaited: str, got: str) -> str:
        said = last_line(self._tail)
        word = f'; its last word: "{said}"' if said else ""
        return f"{self.name}: expected {awaited}, {got}{word}; {self._mend}"

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _empty(self) -> None:
        """Read both pipes until they end; the thread's own function."""
        output, errors = self._process.stdout, self._process.stderr
        assert output is not None and errors is not None
        with contextlib.suppress(OSError):
            fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, _PIPE)
        try:
            with selectors.DefaultSelector() as ready:
                for pipe in (output.fileno(), errors.fileno(), self._wake):
                    ready.register(pipe, selectors.EVENT_READ)
                until: float | None = None
                while until is None or time.monotonic() < until:
                    for key, _ in ready.select(until and _WORDS_AFTER):
                        data = b"" if key.fd == self._wake else os.read(key.fd, _BLOCK)
                        if key.fd == errors.fileno():
                            self._tail = (self._tail + data)[-_TAIL:]
                        elif data:
                            self._keep(self._split.feed(data))
                        elif key.fd == self._wake:
                            return
                        else:
                            # Standard error may be held open by what the program left behind.
                            until = time.monotonic() + _WORDS_AFTER
                        if not data:
                            ready.unregister(key.fd)
                    if until is not None and len(ready.get_map()) == 1:
                        return
        finally:
            output.close()
            errors.close()
            os.close(self._wake)
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _keep(self, frames: list[bytes]) -> None:
        if not frames:
            return
        captured = time.monotonic()
        with self._changed:
            self._count += len(frames)
            self._newest = (frames[-1], self._count - 1, captured)
            self._changed.notify_all()


def end_all() -> None:
    """Kill all programs, for an end that waits for no thread: one may be opening a camera."""
    for child in list(_running):
        child._signal(signal.SIGKILL)


def check_size(child: Child, settings: SourceSettings) -> Child:
    """The same, where it gives the size that was asked for.

    Raises:
        EdgecrnnError: it gives another; it is closed.
    """
    wanted = settings.wanted_size
    if wanted and child.size != wanted:
        child.close()
        came = f"{child.size[0]}x{child.size[1]}"
        raise EdgecrnnError(
            f"{child.name}: expected {settings.size}, got {came}; ask for a size that it has"
        )
    return child


def last_line(tail: bytes) -> str:
    """What a program said last, as it may be shown; its first line with ERROR where one has it."""
    text = _ESCAPE.sub("", tail.decode(errors="replace"))
    lines = ["".join(c for c in line if c.isprintable()).strip() for line in text.splitlines()]
    last = [line for line in lines if line][-1:]
    told = [line for line in lines if "ERROR" in line] or last
    return _SECRET.sub("://", told[0])[:_WIDEST] if told else ""
