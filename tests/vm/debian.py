"""The virtual machine that make-guest made: a whole Debian, whose kernel has a camera."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_KERNEL = "console=ttyS0 quiet panic=-1 net.ifnames=0 systemd.journald.forward_to_console=1"
# A machine with other work beside it may be too slow for the kernel to find its timer.
_KERNEL += " no_timer_check"
_BOOTS = 600.0  # s; the processor is emulated
# Of the guest's clock when it is switched on: years ahead, as of a board without a battery.
CLOCK = "2034-05-06T07:08:09"


class Debian:
    """One machine; what is written to its disk is forgotten when it ends.

    Args:
        folder: what make-guest made.
        work: where its files of this session lie.
    """

    name = "guest"

    def __init__(self, folder: Path, work: Path):
        self._folder, self._work = folder, work
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        words = (folder / "host.pub").read_text().split()
        known = work / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self._port} {words[0]} {words[1]}\n")
        self.config = work / "ssh_config"
        self.config.write_text(
            f"Host {self.name}\n HostName 127.0.0.1\n Port {self._port}\n User pi\n"
            f" IdentityFile {folder}/client\n IdentitiesOnly yes\n IdentityAgent none\n"
            f" UserKnownHostsFile {known}\n GlobalKnownHostsFile /dev/null\n"
            " StrictHostKeyChecking yes\n"
        )
        self.console = work / "console"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Switch it on, and wait until it can be logged into."""
        # Emulated: a machine that is itself virtual may offer a /dev/kvm that hangs.
        words = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1024"]
        words += ["-nodefaults", "-display", "none", "-monitor", "stdio"]
        words += ["-serial", f"file:{self.console}", "-rtc", f"base={CLOCK}"]
        words += ["-kernel", str(self._folder / "vmlinuz")]
        words += ["-initrd", str(self._folder / "initrd")]
        words += ["-append", _KERNEL]
        disk = f"file={self._folder / 'disk'},format=raw,if=virtio,snapshot=on,cache=unsafe"
        words += ["-drive", disk, "-device", "virtio-rng-pci"]
        forward = f"hostfwd=tcp:127.0.0.1:{self._port}-:22,restrict=on"
        words += [
            "-netdev",
            f"user,id=net,{forward}",
            "-device",
            "virtio-net-pci,netdev=net,id=nic",
        ]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
            env={**os.environ, "TMPDIR": str(self._work)},
        )  # fmt: skip
        self.wait_for_login()

    def stop(self) -> None:
        """Switch it off."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def wait_for_login(self) -> None:
        """Until a command runs there."""
        self.until(lambda: self.try_run("true").returncode == 0, _BOOTS)

    @contextlib.contextmanager
    def without_link(self) -> Iterator[None]:
        """The network cable is out."""
        self._say("set_link nic off")
        try:
            yield
        finally:
            self._say("set_link nic on")

    def try_run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command line there."""
        command = ["ssh", "-T", "-F", str(self.config), "-o", "BatchMode=yes"]
        command += ["-o", "ConnectTimeout=20", self.name, "--", *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300)

    def run(self, *words: str, stdin: str = "") -> str:
        """What a command line prints that succeeds."""
        done = self.try_run(*words, stdin=stdin)
        assert done.returncode == 0, (words, done.stdout[-1000:], done.stderr[-2000:])
        return done.stdout

    def give(self, folder: Path, left: tuple[str, ...], to: str) -> None:
        """Have a folder there, links followed, its Python compiled; without what `left` names."""
        excluded = [f"--exclude={name}" for name in ("__pycache__", *left)]
        pack = ["tar", "-c", "-h", "-C", str(folder.parent), *excluded, folder.name]
        packed = subprocess.run(pack, check=True, capture_output=True).stdout
        unpack = f"sudo mkdir -p {to} && sudo tar -x --no-same-owner -C {to} && "
        command = ["ssh", "-T", "-F", str(self.config), self.name, "--", unpack]
        command[-1] += f"sudo python3 -m compileall -q {to}"
        subprocess.run(command, input=packed, check=True, timeout=_BOOTS)

    def property(self, name: str, unit: str = "edgecrnn") -> str:
        """Of a unit, as systemctl shows it."""
        return self.run(f"sudo systemctl show {unit} --value -p {name}").strip()

    def edgecrnn(self, command: str, *words: str, code: int = 0) -> dict[str, Any]:
        """A command's JSON, of the workstation's edgecrnn."""
        plain = words[: words.index("--")] if "--" in words else words
        line = [sys.executable, "-m", "edgecrnn", command, *plain]
        line += ["--ssh-config", str(self.config), "--json", *words[len(plain) :]]
        done = subprocess.run(line, capture_output=True, text=True, timeout=1200)
        assert done.returncode == code, (done.stderr[-3000:], self.journal())
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def said(self) -> str:
        """What the machine said on its console, the journal too: it needs no link."""
        return self.console.read_text(errors="replace")

    def journal(self, unit: str = "edgecrnn") -> str:
        """What a unit and systemd said of it."""
        return self.run(f"sudo journalctl --no-pager -o cat -u {unit}")

    def until(self, true: Callable[[], bool], within: float = 240.0) -> float:
        """Seconds that it took to become true."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > within:
                raise AssertionError(self.said()[-3000:])
            time.sleep(0.3)
        return time.monotonic() - began

    def _say(self, command: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
