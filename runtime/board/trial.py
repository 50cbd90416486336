"""A release on trial: from the switch until it has classified frames, or is taken back.

Two files tell the whole of it, each with one writer. trial.json is written by who changes links;
health.json by the supervisor, which under systemd may write nowhere else.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from edgecrnn.runtime.board.durable import Step, point
from edgecrnn.runtime.board.layout import Board
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import not_written, sync_folder, write_file
from edgecrnn.runtime.settings import DataclassInstance, check, from_mapping, setting

PATIENCE = 60.0  # s
FRAMES = 30
SYSTEMD_STATE = "/var/lib/edgecrnn"
_HEALTH = "health.json"
S = TypeVar("S", bound=DataclassInstance)


@dataclass(frozen=True)
class Trial:
    """What stands in trial.json."""

    release: str = setting("", "id of the release that was switched to last")
    token: str = setting("", "tells this trial from another one of the same release")
    patience: float = setting(PATIENCE, "until it must be healthy", unit="s", least=1, most=3600)
    frames: int = setting(FRAMES, "that it must classify", least=1)
    # Of the newest release that was taken back.
    taken_back: str = setting("", "its id")
    reason: str = setting("", "why")
    state: str = setting("", "folder of health.json where a service writes it; the root's if empty")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Health:
    """What stands in health.json."""

    release: str = setting("", "id of the release that this is said of")
    token: str = setting("", "of its trial")
    pid: int = setting(0, "of the run; 0 where none runs", least=0)
    starts: int = setting(0, "of the run since its trial began", least=0)
    frames: int = setting(0, "classified since the run began", least=0)
    healthy: bool = setting(False, "whether it has classified what its trial asks for")
    ended: bool = setting(False, "whether the run came to its end by itself")
    failed: str = setting("", "why the trial failed")
    status: str = setting("", "the run's own line")

    def __post_init__(self) -> None:
        check(self)


def read_trial(board: Board) -> Trial:
    """The newest switch; an empty one where there was none or it cannot be read."""
    return _read(Trial, board.root / "trial.json")


def write_trial(board: Board, trial: Trial) -> None:
    """Have it on the disk.

    Raises:
        EdgecrnnError: it cannot be written.
    """
    _write(board.root / "trial.json", trial)


def health_folder(board: Board) -> Path:
    """Where the supervisor writes."""
    return Path(read_trial(board).state or board.root)


def read_health(folder: Path) -> Health:
    """How the run is doing; an empty one where there was none or it cannot be read."""
    return _read(Health, folder / _HEALTH)


def write_health(folder: Path, health: Health) -> None:
    """Have it on the disk.

    Raises:
        EdgecrnnError: it cannot be written.
    """
    _write(folder / _HEALTH, health)


def on_trial(board: Board, health: Health) -> bool:
    """Whether the release that `current` leads to has yet to prove itself."""
    running = board.linked(board.current)
    trial = read_trial(board)
    if running is None or trial.release != running:
        return False
    return not ((health.release, health.token) == (running, trial.token) and health.healthy)


def begin_trial(board: Board, name: str, trial: Trial, step: Step = lambda name: None) -> None:
    """Have `current` lead to a release, from one moment to the next.

    Raises:
        EdgecrnnError: there is none of that id, or it cannot be written.
    """
    if not board.release(name).is_dir():
        raise EdgecrnnError(f"{name}: expected a release that is installed, got none; flash again")
    with links(board):
        running = board.linked(board.current)
        if running == name and read_trial(board).release == name:
            return
        step("write trial")
        write_trial(board, replace(trial, release=name, token=secrets.token_hex(8)))
        if running not in (None, name):
            point(board.previous, f"releases/{running}", lambda said: step(f"previous: {said}"))
        point(board.current, f"releases/{name}", lambda said: step(f"current: {said}"))


def take_back(board: Board, name: str, reason: str, step: Step = lambda name: None) -> str | None:
    """Have `current` lead to the release before `name` again, and say why; once.

    Returns:
        Id of the release that `current` leads to now; None where there was none before it, and
        none runs.

    Raises:
        EdgecrnnError: it cannot be written.
    """
    with links(board):
        if board.linked(board.current) != name:
            # Somebody else was faster.
            return board.linked(board.current)
        before = board.linked(board.previous)
        step("write reason")
        now = replace(read_trial(board), release="", taken_back=name, reason=reason)
        write_trial(board, now)
        if before is None or before == name:
            step("remove current")
            _unlink(board.current)
            return None
        point(board.current, f"releases/{before}", lambda said: step(f"current: {said}"))
        step("remove previous")
        _unlink(board.previous)
        return before


@contextlib.contextmanager
def links(board: Board) -> Iterator[None]:
    """Nobody else changes `current`, `previous` or trial.json meanwhile; held for a moment only."""
    file = board.root / "links.lock"
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise not_written(file, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unlink(link: Path) -> None:
    try:
        link.unlink(missing_ok=True)
        sync_folder(link.parent)
    except OSError as error:
        raise not_written(link, error) from error


def _read(kind: type[S], file: Path) -> S:
    try:
        return from_mapping(kind, json.loads(file.read_bytes()), str(file))
    except (OSError, ValueError, EdgecrnnError):
        return kind()


def _write(file: Path, value: DataclassInstance) -> None:
    write_file(file, json.dumps(asdict(value), indent=1).encode() + b"\n")


def set_service(board: Board, systemd: bool) -> None:
    """Say who keeps the release running: systemd, or a supervisor in the background.

    Raises:
        EdgecrnnError: it cannot be written.
    """
    state = SYSTEMD_STATE if systemd else ""
    with links(board):
        if read_trial(board).state != state:
            write_trial(board, replace(read_trial(board), state=state))
