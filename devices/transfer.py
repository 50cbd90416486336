"""Bringing files onto a board so that a cut wire costs only what was not there yet."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from edgecrnn.devices.ssh import SshShell
from edgecrnn.runtime.errors import EdgecrnnError

_SENT = re.compile(r"Total bytes sent: ([\d,]+)")
_PATIENCE = 3600.0  # s
_NOT_FOUND = 127


def send(shell: SshShell, files: Sequence[Path], folder: str) -> int:
    """Append what the board lacks of each file; gives the bytes that were sent, by rsync's count.

    A file that is there with the same size is left as it is, and what came is not to be trusted
    before its hash was checked on the board.

    Args:
        shell: the board.
        files: on this machine; each keeps its name.
        folder: on the board, an absolute path; made where it is missing.

    Raises:
        EdgecrnnError: rsync is missing on one side, the folder cannot be written, the disk is full
            or the connection broke; what came so far stays, and the next call goes on from there.
    """
    if shutil.which("rsync") is None:
        raise EdgecrnnError("rsync: expected it on this machine, got none; apt install rsync")
    made = shell.run(["mkdir", "-p", folder])
    if made.code:
        got = (made.err.strip().splitlines() or ["no reason"])[-1]
        raise EdgecrnnError(
            f"{shell.name}: expected to make {folder}, got {got}; name another folder with --root"
        )
    command = ["rsync", "--append-verify", "--inplace", "--stats", "--timeout=60"]
    # The remote path goes by rsync's own protocol, not through the board's shell.
    command += ["--secluded-args", "--rsh", shlex.join(shell.words), "--"]
    command += [*map(str, files), f"{shell.name}:{folder}/"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env={**os.environ, "LC_ALL": "C"},
            # Ctrl-C ends the main thread's transfer; a fleet's, in other threads, goes on.
            start_new_session=threading.current_thread() is not threading.main_thread(),
        )
    except subprocess.TimeoutExpired as error:
        raise EdgecrnnError(
            f"{shell.name}: expected the files to arrive within {_PATIENCE:g} s; start again, "
            "it goes on from where it was"
        ) from error
    if done.returncode:
        raise EdgecrnnError(_sentence(shell.name, folder, done.returncode, done.stderr))
    found = _SENT.search(done.stdout)
    return int(found[1].replace(",", "")) if found else 0


def _sentence(host: str, folder: str, code: int, said: str) -> str:
    if "No space left" in said:
        return f"{host}: expected room for the files at {folder}, got a full disk; free some"
    if code == _NOT_FOUND or "command not found" in said or "rsync: not found" in said:
        return f"{host}: expected rsync on the board, got none; apt install rsync there"
    if "Permission denied" in said or "Read-only" in said:
        return f"{host}: expected to write into {folder}, got permission denied; see who owns it"
    last = (said.strip().splitlines() or [f"rsync's exit code {code}"])[0]
    return (
        f"{host}: expected the files to arrive, got a connection that broke ({last}); "
        "start again, it goes on from where it was"
    )
