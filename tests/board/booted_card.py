"""A card's first boot with a real systemd and a real cloud-init: this system in a container.

Its files are this machine's under a layer of their own (overlayfs), so nothing of it changes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.devices.a_card import Card
from tests.devices.a_fleet import clip

from edgecrnn.devices.boot_volume import Written, write_boot_volume
from edgecrnn.devices.wheels import Target

FILM = "/srv/film.avi"
_TOOLS = ("systemd-nspawn", "cloud-init", "nsenter", "unshare")
_MASKED = ("ssh.service", "systemd-networkd-wait-online.service", "apt-daily.timer")
_SEED = (
    "datasource_list: [NoCloud, None]\ndatasource: {NoCloud: {seedfrom: file:///boot/firmware/}}\n"
)
_LATER = 600.0  # s; other work may stand beside it


@dataclass
class Booted:
    """The container: `root` are its files, `init` its systemd's process here."""

    root: Path
    init: int
    card: Card
    target: Target

    def write(self, source: str) -> Written:
        """Write the card while it is in; wheels come from the package index."""
        settings = replace(
            self.card.settings, service=True, root="", camera=source, run=("--realtime",)
        )
        return write_boot_volume(settings, self.root / "boot/firmware", self.target)

    def run(self, *words: str) -> str:
        inside = ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-p", "-n", "-r", "-w"]
        done = subprocess.run([*inside, *words], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def told(self, word: str, count: int = 1) -> list[str]:
        """The lines that the first boot left on the card, once `count` of them say `word`."""
        log, until = self.root / "boot/firmware/edgecrnn-first-boot.txt", time.monotonic() + _LATER
        while True:
            lines = log.read_text().splitlines() if log.exists() else []
            found = [line for line in lines if word in line]
            if len(found) >= count:
                return found
            assert time.monotonic() < until, self.run("journalctl", "--no-pager", "-n", "60")
            time.sleep(0.5)

    def property(self, name: str) -> str:
        show = ("systemctl", "show", "edgecrnn", "--value", "-p", name)
        return self.run(*show).strip()

    def wait(self, name: str, value: str) -> None:
        self.until(lambda: self.property(name) == value)

    def until(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + _LATER
        while not true():
            assert time.monotonic() < until, self.run("journalctl", "--no-pager", "-n", "60")
            time.sleep(0.3)


@contextlib.contextmanager
def booted(folder: Path) -> Iterator[Booted]:
    """Boot it, with a card of which nothing has been brought yet."""
    lacking = [name for name in _TOOLS if shutil.which(name) is None]
    if lacking or os.geteuid():
        pytest.skip(f"a container needs root and {', '.join(lacking) or 'nothing else'}")
    mounted = folder / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(mounted)], check=True)
    try:
        root = mounted / "root"
        for name in ("up", "work", "root"):
            (mounted / name).mkdir()
        layers = f"lowerdir=/,upperdir={mounted}/up,workdir={mounted}/work"
        words = ["mount", "-t", "overlay", "overlay", "-o", layers, str(root)]
        if subprocess.run(words, capture_output=True).returncode:
            pytest.skip("this machine mounts no overlay")
        try:
            card = Card(folder / "card")
            _prepare(root, card)
            with _running(root, folder / "console.log", card) as running:
                yield running
        finally:
            subprocess.run(["umount", "--lazy", str(root)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)


def _prepare(root: Path, card: Card) -> None:
    shutil.copytree(card.volume, root / "boot/firmware", dirs_exist_ok=True)
    (root / "boot/firmware/meta-data").write_text("instance-id: door\n")
    (root / "etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg").write_text(_SEED)
    (root / "srv").mkdir(exist_ok=True)
    clip(root / FILM[1:], 9000)
    (root / "etc/fstab").write_text("")
    (root / "etc/machine-id").unlink(missing_ok=True)
    units = root / "etc/systemd/system"
    for name in _MASKED:
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")


@contextlib.contextmanager
def _running(root: Path, console: Path, card: Card) -> Iterator[Booted]:
    asked = "import sys, platform; print('%d.%d' % sys.version_info[:2], platform.libc_ver()[1])"
    words = ["/usr/bin/python3", "-c", asked]
    python, glibc = subprocess.run(words, capture_output=True, text=True).stdout.split()
    made = Booted(root, 0, card, Target(os.uname().machine, python, glibc))
    made.write(FILM)
    words = ["systemd-nspawn", f"--directory={root}", "--register=no", "--keep-unit"]
    words += ["--private-network", "--machine=edgecrnn-card", "--boot"]
    with console.open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as running:
        try:
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
            until = time.monotonic() + 60
            while not (found := children.read_text().split()):
                assert time.monotonic() < until and running.poll() is None, console.read_text()
                time.sleep(0.1)
            made.init = int(found[0])
            yield made
        finally:
            # systemd halts at once (systemd(1), SIGRTMIN+13).
            with contextlib.suppress(ProcessLookupError):
                os.kill(made.init or running.pid, signal.SIGRTMIN + 13)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(60)
            running.kill()
