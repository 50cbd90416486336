"""Commands as a person runs them, each in a process of its own, without TensorFlow's slow start.

A server imports it once and forks for each command. TensorFlow starts its threads with its first
operation, so the server has none of them, and its copy is as good as a new process.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn


class Server:
    """The process that forks; one for all tests of a worker."""

    def __init__(self) -> None:
        # Not this file's folder first on the path: it has packages named as edgecrnn's are.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, arguments: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
        """`python -m edgecrnn` with these arguments, this folder and this environment."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            said = [Path(folder) / name for name in ("stdout", "stderr")]
            asked = {
                "arguments": arguments,
                "folder": str(Path.cwd()),
                "environment": dict(os.environ),
                "said": [str(path) for path in said],
            }
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            if not ready:
                raise subprocess.TimeoutExpired(arguments, timeout)
            answer = self._process.stdout.readline()
            assert answer, "the server that forks is gone"
            return subprocess.CompletedProcess(
                arguments, int(answer), *(path.read_text() for path in said)
            )

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


# What imports TensorFlow on its way; the others start as they do on a board.
COMMANDS = ("train", "convert", "evaluate", "compare", "explain", "crossval")

_server: Server | None = None


def run(arguments: Sequence[str], timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run one of `COMMANDS`; the first one starts the server."""
    global _server
    if _server is None:
        _server = Server()
        atexit.register(_server.close)
    return _server.run(arguments, timeout)


def _serve() -> None:
    from edgecrnn.train.tensorflow_start import start_tensorflow

    start_tensorflow()
    import cv2  # noqa: F401
    import keras  # noqa: F401

    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answers.close()
            _become(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _become(
    arguments: list[str], folder: str, environment: dict[str, str], said: list[str]
) -> NoReturn:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # what TMPDIR said to the server
    sys.argv[1:] = arguments
    runpy.run_module("edgecrnn", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _serve()
