"""An emulated board that make-board made: an arm64 Debian with a real sshd on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

USER = "pi"
_HOME = f"home/{USER}"


class EmulatedBoard:
    """Its processes live in a namespace of their own, so that `cut_power` ends all of them.

    Args:
        folder: of one suite, of what make-board made.
        keys: where this test's keys are kept.
    """

    def __init__(self, folder: Path, keys: Path):
        self.root, self.suite = folder / "system", folder.name
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        client, host = keys / "client", keys / "host"
        for key in (client, host):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True
            )
        known = keys / "known_hosts"
        words = host.with_suffix(".pub").read_text().split()
        known.write_text(f"[127.0.0.1]:{self.port} {words[0]} {words[1]}\n")
        self._log = keys / "sshd.log"
        self.config = keys / "ssh_config"
        self.config.write_text(
            f"Host board\n HostName 127.0.0.1\n Port {self.port}\n User {USER}\n"
            f" IdentityFile {client}\n IdentitiesOnly yes\n IdentityAgent none\n"
            f" UserKnownHostsFile {known}\n GlobalKnownHostsFile /dev/null\n"
            " StrictHostKeyChecking yes\n"
        )
        self._set_up(client.with_suffix(".pub"), host)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Path:
        """The user's home, seen from here."""
        return self.root / _HOME

    def start(self) -> None:
        """Switch it on."""
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--root", self.root]
        command += ["--mount-proc", "/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/sshd_board"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.1)
        raise RuntimeError(self._log.read_text())

    def cut_power(self) -> None:
        """Every process on it ends at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _set_up(self, authorized: Path, host: Path) -> None:
        """A home as after the first boot, and this test's keys."""
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / ".ssh").mkdir(parents=True)
        shutil.copy(authorized, self.home / ".ssh" / "authorized_keys")
        (self.home / ".ssh" / "authorized_keys").chmod(0o600)
        uid = int(_field(self.root / "etc" / "passwd", USER, 2))
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, uid, uid)
        shutil.copy(host, self.root / "etc" / "ssh" / "host_key")
        (self.root / "run" / "sshd").mkdir(parents=True, exist_ok=True)
        (self.root / "etc" / "ssh" / "sshd_board").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey /etc/ssh/host_key\nPidFile none\n"
            "UsePAM no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n"
        )


@contextlib.contextmanager
def emulated_board(folder: Path, keys: Path) -> Iterator[EmulatedBoard]:
    """Switched on as long as the context lasts."""
    board = EmulatedBoard(folder, keys)
    board.start()
    try:
        yield board
    finally:
        board.cut_power()


def _field(file: Path, name: str, place: int) -> str:
    lines = (line.split(":") for line in file.read_text().splitlines())
    return next(fields[place] for fields in lines if fields[0] == name)
