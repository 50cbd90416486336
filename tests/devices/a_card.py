"""A card's boot volume as a folder, and the board that boots from it: this machine, no systemd."""

from __future__ import annotations

import contextlib
import ensurepip
import json
import os
import signal
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.devices.a_fleet import clip
from tests.runtime.conftest import write_bundle

import edgecrnn
from edgecrnn.devices.boot_volume import Written, write_boot_volume
from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.wheels import Target, environment_id

USER_DATA = "#cloud-config\nhostname: door\nruncmd:\n- touch /etc/mine\n"
HERE = Target("x86_64", f"{sys.version_info[0]}.{sys.version_info[1]}", "2.31")


class Card:
    """`volume` is as an image left it; `root` is what a boot makes."""

    def __init__(self, folder: Path, **settings: Any):
        self.volume, self.root = folder / "bootfs", folder / "opt"
        self.volume.mkdir(parents=True)
        for name in ("config.txt", "cmdline.txt", "meta-data", "network-config"):
            (self.volume / name).write_text(f"# {name}\n")
        (self.volume / "user-data").write_text(USER_DATA)
        self.wheel = here_wheel(folder)
        self.bundle = write_bundle(folder / "door.edgecrnn")
        self.settings = FlashSettings(
            **{
                "bundle": str(self.bundle),
                "camera": str(clip(folder / "clip.avi")),
                "profile": "linux-x86_64",
                "root": str(self.root),
                "frames": 5,
                **settings,
            }
        )

    def write(self, settings: FlashSettings | None = None, target: Target = HERE) -> Written:
        return write_boot_volume(
            settings or self.settings, self.volume, target, self._resolved, lambda _: pip_wheel()
        )

    def _resolved(self, wanted: Sequence[str], target: Target) -> tuple[Mapping[str, Path], str]:
        wheels = {self.wheel.name: self.wheel}
        return wheels, environment_id(wheels, target)

    def tree(self) -> dict[str, bytes]:
        files = (each for each in self.volume.rglob("*") if each.is_file())
        return {str(each.relative_to(self.volume)): each.read_bytes() for each in files}

    def boot(self, stop_at: str = "") -> str:
        """What a boot runs; where it is to stop, the power is cut there."""
        words = [sys.executable, self.volume / "edgecrnn/first_boot.py", self.volume / "edgecrnn"]
        environment = {**os.environ, "EDGECRNN_STOP_AT": stop_at}
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as booting:
            assert booting.stdout is not None
            said = booting.stdout.readline() if stop_at else booting.stdout.read()
            if stop_at:
                assert said == f"stopped at {stop_at}\n"
                self.cut_power(booting.pid)
        return said

    def cut_power(self, *pids: int) -> None:
        """Every process of the board is gone from one moment to the next."""
        mine = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        for pid in (*pids, *(pid for pid in mine if str(self.root) in _command(pid))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def ask(self, *words: str) -> dict[str, Any]:
        """The answer of the agent that the card brought."""
        python = self.root / "current/environment/bin/python"
        command = [python, "-I", "-m", "edgecrnn.runtime.board", "--root", self.root, *words]
        done = subprocess.run(command, capture_output=True, timeout=120)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def here_wheel(folder: Path) -> Path:
    """A wheel that stands for all of them: what it installs leads to what this test imports."""
    path, info = folder / "here-1.0-py3-none-any.whl", "here-1.0.dist-info"
    there = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    lines = [str(Path(edgecrnn.__file__).parent.parent)]
    lines += [f"import site; site.addsitedir({each!r})" for each in there]
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("here.pth", "\n".join(lines) + "\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: here\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in archive.namelist()))
    return path


def pip_wheel() -> Path:
    found = sorted(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    if not found:
        pytest.skip("this Python brings no pip of its own (ensurepip)")
    return found[-1]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
