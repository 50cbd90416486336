"""Keeps what native libraries write to standard error while they start off a person's screen."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO


def _kept() -> BinaryIO:
    """A file in memory: a full disk is no reason to fail, and no place for chatter."""
    return os.fdopen(os.memfd_create("chatter"), "w+b")


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Set file descriptor 2 aside within the block; where the block raises, show what came.

    Compiled code writes there past Python, and neither TensorFlow nor the interpreter has a setting
    that silences all of it. Not for blocks that run beside other threads for long.
    """
    sys.stderr.flush()
    try:
        screen = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with _kept() as kept:
        os.dup2(kept.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            if failed:
                kept.seek(0)
                with contextlib.suppress(OSError):
                    os.write(2, kept.read())


@contextlib.contextmanager
def overheard() -> Iterator[Callable[[], str]]:
    """The same, and never shown: the function given reads what has come so far.

    For libraries whose only word of a failure is on standard error.
    """
    sys.stderr.flush()
    try:
        screen = os.dup(2)
    except OSError:  # there is no standard error, and one is needed to listen to
        screen = -1
    with _kept() as kept:
        os.dup2(kept.fileno(), 2)

        def heard() -> str:
            size = os.fstat(kept.fileno()).st_size
            return os.pread(kept.fileno(), size, 0).decode(errors="replace")

        try:
            yield heard
        finally:
            sys.stderr.flush()
            if screen >= 0:
                os.dup2(screen, 2)
                os.close(screen)
            else:
                os.close(2)
