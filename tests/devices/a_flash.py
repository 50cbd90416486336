"""The command line that flashes, against a board of its own on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.devices.a_fleet import Fleet
from tests.devices.board import Board

from edgecrnn.runtime.board import layout
from edgecrnn.runtime.board.release import BUNDLE
from edgecrnn.runtime.files import file_sha256

NAME = "b1"


@dataclass(frozen=True)
class Flashing:
    """One board of a fleet of one, and what is brought there."""

    fleet: Fleet
    bundle: Path

    @property
    def board(self) -> Board:
        return self.fleet.boards[NAME]

    @property
    def root(self) -> Path:
        return self.fleet.root(NAME)

    def words(self, *words: str, camera: str = "", run: tuple[str, ...] = ()) -> list[str]:
        """A flash of the bundle as it is typed."""
        source = camera or str(self.fleet.clip)
        command = [sys.executable, "-m", "edgecrnn", "flash", str(self.bundle), NAME]
        command += ["--ssh-config", str(self.fleet.config), "--json", "--offline"]
        command += ["--camera", source, "--patience", "60", "--frames", "5", *words]
        return [*command, "--", *run] if run else command

    def flash(
        self, *words: str, camera: str = "", run: tuple[str, ...] = (), code: int = 0
    ) -> dict[str, Any]:
        """Its JSON; where it was refused, {"refused": the sentence}."""
        done = subprocess.run(
            self.words(*words, camera=camera, run=run), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == code, done.stderr
        if not done.stdout:
            return {"refused": done.stderr.strip().splitlines()[-1]}
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def command(self, name: str, *words: str, code: int = 0) -> str:
        """What another command prints."""
        command = [sys.executable, "-m", "edgecrnn", name, NAME]
        command += ["--ssh-config", str(self.fleet.config), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stderr
        return done.stdout or done.stderr

    def whole(self) -> str | None:
        """Id of the release that `current` leads to, whose bundle is the one it names."""
        board = layout.Board(self.root)
        name = board.linked(board.current)
        if name is not None:
            assert file_sha256(board.release(name) / BUNDLE) == board.read_release(name).bundle
        return name

    def status(self) -> dict[str, Any]:
        """The board's own word."""
        return self.fleet.ask(NAME, "status")
