"""A file that only ever holds whole lines: what jsonl and csv append to."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import threading
import time
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError

_LOOK = 1.0  # seconds between two looks whether the file was moved away
_BLOCK = 65536
_Place = tuple[int, int]  # of a file: its device and number there
# The files that this process appends to: a lock, and how many streams hold it. One lock a process,
# kept by the last of them: locks of lockf end where any descriptor of the file is closed.
_locks: dict[_Place, tuple[int, int]] = {}
_locking = threading.Lock()


class LineFile:
    """Appends to a file with one write call a line.

    A kill in the middle of a write, which the kernel allows between two pages, leaves a torn last
    line; it is cut when the file is opened again. A line that a full disk takes half of is taken
    back. A file that is moved away (logrotate) is made anew within a second.

    Args:
        path: file to append to; its folder is made where it is missing.
        head: what a new file begins with, a whole line or nothing.
        first: what the first bytes of a file that is there must be, so that no other is cut.

    Raises:
        EdgecrnnError: it cannot be written, is no plain file, holds something else, or another
            process writes to it.
    """

    def __init__(self, path: Path, head: bytes = b"", first: bytes = b""):
        self._path, self._head, self._first = path, head, first
        self._file, self._owned = self._open()
        self._looked = time.monotonic()

    def write(self, data: bytes) -> int:
        """Append whole lines, all of them or none.

        Raises:
            OSError: the disk is full.
        """
        if time.monotonic() - self._looked >= _LOOK:
            self._follow()
        self._append(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
        self._owned.close()

    def _open(self) -> tuple[int, contextlib.ExitStack]:
        """The file, and what lets go of it."""
        path = self._path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                raise EdgecrnnError(
                    f"{path}: expected a file to append to, got a folder or a device; "
                    "choose another path"
                )
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise EdgecrnnError(
                f"{path}: expected a file that can be written, got {reason!s:.200}; "
                "choose another path"
            ) from error
        owned = contextlib.ExitStack()
        try:
            self._own(file, owned)
            self._check(file)
            self._cut(file)
            if self._head and os.fstat(file).st_size == 0:
                os.write(file, self._head)
        except BaseException as error:
            os.close(file)
            owned.close()
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(path)) from error
            raise
        return file, owned

    def _own(self, file: int, owned: contextlib.ExitStack) -> None:
        """Refuse a file that another process appends to; several streams of this one may."""
        try:
            owned.callback(_let_go, _taken(file))
        except BlockingIOError as error:
            raise EdgecrnnError(
                f"{self._path}: expected a file of its own, got one that another process writes "
                "to; choose another path"
            ) from error

    def _check(self, file: int) -> None:
        begins = os.pread(file, max(1, len(self._first)), 0)
        # The first line itself may be the torn one.
        if begins and not self._first.startswith(begins):
            raise EdgecrnnError(
                f"{self._path}: expected a new file or one that begins with "
                f"{self._first.decode(errors='replace').strip()!r:.200}, got another; "
                "choose another path"
            )

    def _cut(self, file: int) -> None:
        """Take off what stands after the last line end."""
        size = end = os.fstat(file).st_size
        while end > 0:
            begin = max(0, end - _BLOCK)
            place = os.pread(file, end - begin, begin).rfind(b"\n")
            if place >= 0:
                end = begin + place + 1
                break
            end = begin
        if end < size:
            os.ftruncate(file, end)

    def _follow(self) -> None:
        """Open the path again where it no longer leads to the file that is open."""
        self._looked = time.monotonic()
        here = os.fstat(self._file)
        try:
            there = self._path.stat()
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                return
            if not stat.S_ISREG(there.st_mode):
                return
        except FileNotFoundError:
            pass
        old, owned = self._file, self._owned
        self._file, self._owned = self._open()
        os.close(old)
        owned.close()

    def _append(self, data: bytes) -> None:
        written = os.write(self._file, data)
        if written == len(data):
            return
        # A full disk took the beginning: take it back, unless another stream wrote after it.
        end = os.lseek(self._file, 0, os.SEEK_CUR)
        if os.fstat(self._file).st_size == end:
            os.ftruncate(self._file, end - written)
        raise OSError(28, "No space left on device", str(self._path))


def _taken(file: int) -> _Place:
    """Hold a file for this process; `_let_go` of it.

    Raises:
        BlockingIOError: another process holds it.
    """
    facts = os.fstat(file)
    place = (facts.st_dev, facts.st_ino)
    with _locking:
        lock, streams = _locks.get(place, (-1, 0))
        if not streams:
            lock = os.dup(file)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                raise
            except OSError:
                pass  # a file system that knows no locks
        _locks[place] = (lock, streams + 1)
    return place


def _let_go(place: _Place) -> None:
    with _locking:
        lock, streams = _locks.pop(place)
        if streams > 1:
            _locks[place] = (lock, streams - 1)
        else:
            os.close(lock)
