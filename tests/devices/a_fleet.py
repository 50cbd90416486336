"""Boards beside each other: an sshd each on loopback, a folder each, environments in a moment."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.devices.board import Board
from tests.devices.tiny_wheels import tiny_wheel
from tests.runtime.board.a_board import make_environment

from edgecrnn.devices import flash_facts, probe, wheels
from edgecrnn.devices.profile import load_profile
from edgecrnn.devices.ssh import LocalShell
from edgecrnn.runtime.board import layout

ROOT = ".local/share/edgecrnn"
FLAGS = "patience = 60\nframes = 5"


@dataclass(frozen=True)
class Fleet:
    """The boards by the names that ssh knows them by, their ssh configuration, and a clip."""

    boards: dict[str, Board]
    config: Path
    clip: Path
    environment: str

    def toml(self, path: Path, settings: str = FLAGS, **of_boards: str) -> Path:
        """A fleet.toml of all boards, each with its own settings where some are given."""
        everywhere = f'[all]\ncamera = "{self.clip}"\nssh_config = "{self.config}"\n{settings}\n'
        hosts = [f'[[hosts]]\nhost = "{n}"\n{of_boards.get(n, "")}\n' for n in self.boards]
        path.write_text("\n".join([everywhere, *hosts]))
        return path

    def root(self, name: str) -> Path:
        """Folder of edgecrnn on a board."""
        return self.boards[name].folder / ROOT

    def ask(self, name: str, *words: str) -> dict[str, Any]:
        """The answer of a board's agent."""
        root = self.root(name)
        python = root / "environments" / self.environment / "bin/python"
        command = [python, "-I", "-m", "edgecrnn.runtime.board", "--root", root, *words]
        done = subprocess.run(command, capture_output=True, timeout=120)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def untouched(self, name: str) -> bool:
        """Whether nothing came to a board."""
        return sorted(each.name for each in self.root(name).iterdir()) == ["environments"]


@contextlib.contextmanager
def running_fleet(folder: Path, cache: Path, count: int) -> Iterator[Fleet]:
    """Boards b1, b2 ...; `cache` is the person's XDG_CACHE_HOME, where their wheels are put."""
    environment = fill_cache(cache / "edgecrnn" / "wheels", folder / "wheels")
    with contextlib.ExitStack() as running:
        boards = {f"b{number}": Board(folder / f"b{number}") for number in range(1, count + 1)}
        for board in boards.values():
            board.start()
            running.callback(board.stop)
            make_environment(layout.Board(board.folder / ROOT), environment)
        config = folder / "ssh_config"
        config.write_text("".join(_as_host(name, board) for name, board in boards.items()))
        fleet = Fleet(boards, config, clip(folder / "clip.avi"), environment)
        yield fleet
        for name in boards:
            if (fleet.root(name) / "current").exists():
                fleet.ask(name, "stop")


def fill_cache(cache: Path, made: Path, target: wheels.Target | None = None) -> str:
    """Have tiny wheels stand for those of the index; gives the id of their environment.

    Without a target they are for a board that is this machine.
    """
    target = target or _this_machine()
    profile = load_profile("linux-x86_64")
    wanted = wheels.requirements(
        profile.runtime, profile.runtime_version, target, flash_facts.extras_for(())
    )

    def download(lines: Any, target: wheels.Target, folder: Path) -> None:
        tiny_wheel(made, "tiny").rename(folder / "tiny-1.0-py3-none-any.whl")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wheels, "_download", download)
        return wheels.environment_id(wheels.fetch(wanted, target, cache), target)


def _this_machine() -> wheels.Target:
    facts = probe.probe(LocalShell())
    short = (".".join(version.split(".")[:2]) for version in (facts.python, facts.glibc))
    return wheels.Target(facts.architecture, *short)


def clip(path: Path, frames: int = 40) -> Path:
    """A film of one red picture, which a run comes to the end of."""
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), code, 25, (64, 48))
    for _ in range(frames):
        writer.write(np.full((48, 64, 3), (0, 0, 200), np.uint8))
    writer.release()
    return path


def _as_host(name: str, board: Board) -> str:
    return board.config.read_text().replace("Host board\n", f"Host {name}\n")
