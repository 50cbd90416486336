"""A real sshd on loopback; a folder is the board, and its own `bin` is all that it finds."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
_PROGRAMS = ("cat", "env", "ls", "mkdir", "mv", "rm", "rsync", "sh", "sleep", "true")


class Board:
    """A process of its own, with a fresh host key; `start` and `stop` as often as a test wants."""

    def __init__(self, folder: Path):
        if SSHD is None or shutil.which("ssh") is None:
            pytest.skip("sshd is not installed (apt install openssh-server openssh-client)")
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        for name in _PROGRAMS:
            if found := shutil.which(name):
                (self.bin / name).symlink_to(found)
        (self.bin / "python3").symlink_to(sys.executable)
        self.user = getpass.getuser()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.known = folder / "known_hosts"
        self.client = folder / "client"
        self.host_key = folder / "host_key"
        _new_key(self.client)
        self.new_host_key()
        shutil.copy(self.client.with_suffix(".pub"), folder / "authorized")
        self.config = folder / "ssh_config"
        self.config.write_text(
            f"Host board\n HostName 127.0.0.1\n Port {self.port}\n User {self.user}\n"
            f" IdentityFile {self.client}\n IdentitiesOnly yes\n IdentityAgent none\n"
            f" UserKnownHostsFile {self.known}\n GlobalKnownHostsFile /dev/null\n"
            " StrictHostKeyChecking yes\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def flags(self) -> list[str]:
        """What a command line is given to reach it as `board`."""
        return ["--ssh-config", str(self.config)]

    def new_host_key(self, trust: bool = True) -> None:
        """The board is set up anew."""
        self.host_key.unlink(missing_ok=True)
        _new_key(self.host_key)
        if trust:
            words = self.host_key.with_suffix(".pub").read_text().split()
            self.known.write_text(f"[127.0.0.1]:{self.port} {words[0]} {words[1]}\n")

    def start(self) -> None:
        config = self.folder / "sshd_config"
        config.write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.host_key}\n"
            f"AuthorizedKeysFile {self.folder}/authorized\nPidFile none\nStrictModes no\n"
            "UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n"
            f"SetEnv PATH={self.bin} HOME={self.folder}\nSubsystem sftp internal-sftp\n"
        )
        if os.geteuid() == 0:
            # Where its processes without rights live.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        assert SSHD is not None
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise RuntimeError((self.folder / "sshd.log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """sshd ends at once, its sessions too, and with them the commands that they run."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """sshd and its sessions answer no more, and do not end; until `kill`."""
        self._signal(signal.SIGSTOP)

    def _signal(self, number: int) -> None:
        # What left its session (a switch that is watched) lives on, as on a board.
        assert self._process is not None
        for pid in (self._process.pid, *_descendants(self._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _descendants(child)


@contextlib.contextmanager
def running_board(folder: Path) -> Iterator[Board]:
    board = Board(folder)
    board.start()
    try:
        yield board
    finally:
        board.kill()


def _new_key(path: Path) -> None:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    path.with_suffix(".pub").unlink(missing_ok=True)
    subprocess.run(words, check=True)
