"""Keeps what native libraries write to standard error while they start off a person's screen."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


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
    with tempfile.TemporaryFile() as kept:
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
