"""Runs a command at each change of label, without a shell, one at a time."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.notify import not_for_children
from edgecrnn.runtime.sinks._sink import Stream, Takes

WHAT = "exec:COMMAND"
TAKES: Takes = "changes"
_LONGEST = 30.0  # seconds a command may take
_GLANCE = 0.02


def matches(spec: str) -> bool:
    """`exec:` and a command line."""
    return spec.startswith("exec:")


def open_sink(spec: str, stream: Stream) -> Command:
    """Split the command line as a shell would, and nothing else that a shell does.

    Raises:
        EdgecrnnError: an open quote, or no such program.
    """
    try:
        words = shlex.split(spec.removeprefix("exec:"))
    except ValueError as error:
        raise EdgecrnnError(
            f"sink: expected exec:COMMAND, got a line with {str(error).lower()}; close it"
        ) from error
    if not words:
        raise EdgecrnnError("sink: expected exec:COMMAND, got no command; name one")
    program = shutil.which(words[0])
    if program is None:
        raise EdgecrnnError(
            f"sink: expected a program that can be run, got {words[0]!r}; check its name and "
            "whether it is executable"
        )
    return Command([program, *words[1:]], stream.source, _LONGEST)


class Command:
    """Tells the command by its environment: EDGECRNN_LABEL and others.

    Args:
        words: program and arguments.
        source: for EDGECRNN_SOURCE.
        longest: seconds after which the command and all that it started are killed.
    """

    def __init__(self, words: list[str], source: str, longest: float):
        self._words, self._source, self._longest = words, source, longest
        self._label = UNKNOWN
        self._hurry = threading.Event()

    def write(self, result: Result, frame: Frame) -> None:
        """Run the command and wait for it.

        Raises:
            EdgecrnnError: it failed or took too long.
            OSError: it could not be started.
        """
        before, self._label = self._label, result.label
        if result.label == before:
            return
        told = {
            "EDGECRNN_LABEL": result.label,
            "EDGECRNN_BEFORE": before,
            "EDGECRNN_SCORE": f"{result.score:.4f}",
            "EDGECRNN_TIME": f"{result.time:.3f}",
            "EDGECRNN_FRAME": str(result.frame),
            "EDGECRNN_SOURCE": self._source,
        }
        child = subprocess.Popen(
            self._words,
            stdin=subprocess.DEVNULL,
            stdout=2,  # standard output is for the results
            env={**not_for_children(), **told},
            start_new_session=True,
        )
        if code := self._wait(child):
            raise EdgecrnnError(f"the command ended with code {code}")

    def close(self) -> None:
        """Nothing is held: each command has ended."""

    def stop(self) -> None:
        """Kill the command that runs."""
        self._hurry.set()

    def _wait(self, child: subprocess.Popen[bytes]) -> int:
        until = time.monotonic() + self._longest
        while child.poll() is None:
            if self._hurry.wait(_GLANCE):
                _kill(child)
                raise EdgecrnnError("the command was killed because the run ended")
            if time.monotonic() > until:
                _kill(child)
                raise EdgecrnnError(
                    f"the command took longer than {self._longest:g} s and was killed"
                )
        return child.returncode


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the command and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
