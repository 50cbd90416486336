"""A board over the system's own ssh: the person's configuration, keys, agent and jump hosts."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

LOCAL = "local"
# ssh's own exit code; a command on the board may use it too, but then ssh said nothing.
_SSH_FAILED = 255
_HOST = re.compile(r"[A-Za-z0-9_.@:%\[\]-]+")
# What ssh prints: what went wrong in a person's words, and the mend. The first that fits counts.
_SAID = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "the host key that is known, got another one; if the board was set up anew, remove the old "
        "key with ssh-keygen -R HOST, else somebody may be in between",
    ),
    (
        r"Host key verification failed|host key is known for",
        "a known host key, got one never seen; log in once with ssh HOST and compare it",
    ),
    (
        r"Permission denied|Too many authentication failures",
        "to log in by a key, got asked for a password or refused; bring your key there with "
        "ssh-copy-id HOST",
    ),
    (
        r"Could not resolve hostname|Name or service not known",
        "a host that can be found, got no such name; check it, or give the board's address",
    ),
    (
        r"Connection refused",
        "an ssh server, got the connection refused; switch ssh on there, or name its --port",
    ),
    (
        r"timed out|No route to host|Network is unreachable|not responding",
        "an answer, got none; see that the board is on and in the same network",
    ),
    (
        r"Bad configuration option|Can't open user config file|configuration options",
        "an ssh configuration that ssh can read, got {last}; mend that file",
    ),
)


@dataclass(frozen=True)
class SshSettings:
    """How the board is reached; the rest is in the person's ssh configuration."""

    port: int | None = setting(None, "of the ssh server", least=1, most=65535)
    ssh_config: str = setting("", "file that ssh reads instead of ~/.ssh/config")
    connect_timeout: int = setting(15, "for the first answer", unit="s", least=1, most=600)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Ran:
    """What a command on the board left: its exit code, and what it printed."""

    code: int
    out: bytes
    err: str


class Shell(Protocol):
    """Where commands run: a board, or this machine."""

    name: str

    def run(self, words: Sequence[str], stdin: bytes = b"", seconds: float = 60) -> Ran:
        """Run a command to its end."""


class LocalShell:
    """The machine itself, for `devices probe local`."""

    name = LOCAL

    def run(self, words: Sequence[str], stdin: bytes = b"", seconds: float = 60) -> Ran:
        """Run it here; `python3` is the Python that runs edgecrnn."""
        here = [sys.executable if word == "python3" else word for word in words]
        return _run(here, stdin, seconds, self.name)


class SshShell:
    """A board over one connection that all commands share (ssh's ControlMaster)."""

    def __init__(self, host: str, settings: SshSettings, folder: Path):
        self.name = host
        self.words = [
            *("ssh", "-T", "-o", "BatchMode=yes", "-o", f"ControlPath={folder}/%C"),
            *("-o", "ControlMaster=auto", "-o", "ControlPersist=60"),
            # A dead link ends after about 20 s.
            *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
            *("-o", f"ConnectTimeout={settings.connect_timeout}"),
            *(("-F", settings.ssh_config) if settings.ssh_config else ()),
            *(("-p", str(settings.port)) if settings.port else ()),
        ]

    def run(self, words: Sequence[str], stdin: bytes = b"", seconds: float = 60) -> Ran:
        """Run it on the board, each word as it is given.

        Raises:
            EdgecrnnError: the board cannot be reached or logged into, or does not answer in time.
        """
        command = [*self.words, "--", self.name, shlex.join(words)]
        ran = _run(command, stdin, seconds, self.name)
        if ran.code == _SSH_FAILED:
            raise EdgecrnnError(_sentence(self.name, ran.err))
        return ran

    def close(self) -> None:
        """End the shared connection."""
        command = [*self.words, "-O", "exit", "--", self.name]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, capture_output=True, timeout=10)


@contextlib.contextmanager
def connect(host: str, settings: SshSettings) -> Iterator[Shell]:
    """The shell of `host` ("local" is this machine) as long as the context lasts.

    The connection is made by the first command.
    """
    if host == LOCAL:
        yield LocalShell()
        return
    if host.startswith("-") or not _HOST.fullmatch(host):
        raise EdgecrnnError(f"host: expected USER@HOST such as pi@raspberrypi.local, got {host!r}")
    if shutil.which("ssh") is None:
        raise EdgecrnnError(
            "ssh: expected the OpenSSH client, got none; apt install openssh-client"
        )
    if settings.ssh_config and not Path(settings.ssh_config).is_file():
        raise EdgecrnnError(
            f"--ssh-config: expected a file, got {settings.ssh_config!r}; check the path"
        )
    # Sockets take short paths only, so not in the person's own temporary folder.
    with tempfile.TemporaryDirectory(prefix="edgecrnn-", dir=_short_folder()) as folder:
        shell = SshShell(host, settings, Path(folder))
        try:
            yield shell
        finally:
            shell.close()


def _short_folder() -> str | None:
    return "/tmp" if Path("/tmp").is_dir() else None


def _run(words: Sequence[str], stdin: bytes, seconds: float, name: str) -> Ran:
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise EdgecrnnError(
            f"{name}: expected an answer within {seconds:g} s, got none; "
            "see that the board is not stuck and start again"
        ) from error
    return Ran(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def _sentence(host: str, said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "a connection that ended without a word"
    for pattern, sentence in _SAID:
        if re.search(pattern, said):
            return f"{host}: expected {sentence.replace('HOST', host).format(last=last)}"
    return f"{host}: expected ssh to log in, got {last}; try ssh {host} by hand"
