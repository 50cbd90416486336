"""One supervisor in a folder: a lock that ends with its process, and tells who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import not_written

_NAME = "supervisor.lock"
_PATIENCE = 20.0  # s from SIGTERM to SIGKILL; the run beneath has 10
_GLANCE = 0.05  # s
# The one before is ending.
_HANDOVER = 5.0  # s
# Names the open lock to the program that this process becomes by exec.
_HANDED = "EDGECRNN_SUPERVISOR_LOCK"


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[int]:
    """Be the only one as long as the context lasts; gives the lock, for `hand_over`.

    Raises:
        EdgecrnnError: another one is, or the folder cannot be written.
    """
    file = folder / _NAME
    try:
        descriptor = _handed(file)
        if descriptor is None:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise not_written(file, error) from error
    try:
        until = time.monotonic() + _HANDOVER
        while not _taken(descriptor):
            if time.monotonic() > until:
                raise EdgecrnnError(
                    f"{file}: expected no other supervisor, got process {_read(descriptor)}; "
                    "edgecrnn status tells how it does"
                )
            time.sleep(_GLANCE)
        # One write of one length: who asks meanwhile reads a number, never a part of one.
        os.pwrite(descriptor, f"{os.getpid():<20}".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def hand_over(descriptor: int) -> None:
    """Keep the lock through an exec: there is no moment in which nobody is the one."""
    os.set_inheritable(descriptor, True)
    os.environ[_HANDED] = str(descriptor)


def who(folder: Path) -> int | None:
    """Process id of the one; None where there is none."""
    try:
        descriptor = os.open(folder / _NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        try:
            # A shared lock disturbs no one who asks at the same time.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(descriptor) or None
        return None
    finally:
        os.close(descriptor)


def end_it(folder: Path) -> bool:
    """End the one there is, gently at first; whether there was one.

    Raises:
        EdgecrnnError: it belongs to somebody else.
    """
    pid = who(folder)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _PATIENCE
        while who(folder) == pid:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                until = float("inf")
            time.sleep(_GLANCE)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise EdgecrnnError(
            f"{folder}: expected a supervisor of one's own to end, got somebody else's "
            f"(process {pid}); is it a service? systemctl stop edgecrnn"
        ) from error
    return True


def _handed(file: Path) -> int | None:
    """The lock that came through an exec; None where none did."""
    text = os.environ.pop(_HANDED, "")
    if not text.isdecimal():
        return None
    descriptor = int(text)
    try:
        same = os.path.samestat(os.fstat(descriptor), file.stat())
    except OSError:
        return None
    if same:
        os.set_inheritable(descriptor, False)
    return descriptor if same else None


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else 0
