"""Switching between releases, watched by the board itself: a cut link does not stop it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edgecrnn.runtime.board import only_one
from edgecrnn.runtime.board.durable import Step
from edgecrnn.runtime.board.install import python_of
from edgecrnn.runtime.board.layout import Board, locked
from edgecrnn.runtime.board.supervise import LOG
from edgecrnn.runtime.board.tail import tail
from edgecrnn.runtime.board.trial import (
    Health,
    Trial,
    begin_trial,
    health_folder,
    on_trial,
    read_health,
    read_trial,
    take_back,
)
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import not_written

FLASH_LOG = "flash.log"
_GLANCE = 0.1  # s
_ANOTHER = 5.0  # s to wait for another one's step
_BEGINS = 15.0  # s until a process that was started shows
# Beyond the patience of the trial: loading, three pauses, a service manager that restarts.
_GRACE = 60.0  # s
# From the word that a trial failed until the links say so; systemd starts a unit for it.
_TAKES_BACK = 15.0  # s
_WORDS = 20  # lines of the log beside a reason

Result = Literal["waiting", "healthy", "rolled back", "none"]


@dataclass(frozen=True)
class Outcome:
    """What became of a switch: `reason` and the log's last lines where it was taken back."""

    outcome: Result
    frames: int
    reason: str
    log: tuple[str, ...]


def well(board: Board, name: str) -> bool:
    """Whether a release is current, runs, and has proven itself."""
    folder = health_folder(board)
    health = read_health(folder)
    if board.linked(board.current) != name or health.release != name:
        return False
    runs = only_one.who(folder) is not None or health.ended
    return health.healthy and runs and not on_trial(board, health)


def start_switch(board: Board, name: str, patience: float, frames: int) -> None:
    """Begin it in a process of its own, and return once that has begun.

    Raises:
        EdgecrnnError: there is no such release, or another switch is being watched.
    """
    if not board.release(name).is_dir():
        raise EdgecrnnError(f"{name}: expected a release that is installed, got none; flash again")
    # Tells who holds it, where somebody does: a switch that is watched takes a minute.
    with locked(board, f"begin the switch to {name}", _ANOTHER):
        before = read_trial(board)
    words = _agent(board, [sys.executable, *(["-I"] if sys.flags.isolated else [])])
    words += ["watch", name, "--patience", f"{patience:g}", "--frames", str(frames)]
    started = _detached(board, words)
    until = time.monotonic() + _BEGINS
    while time.monotonic() < until and started.poll() is None:
        if read_trial(board) != before:
            return
        time.sleep(_GLANCE)
    if started.poll() not in (None, 0):
        last = (tail(board.logs / FLASH_LOG, 1) or ["nothing"])[-1]
        raise EdgecrnnError(f"switch: expected it to begin, but it said: {last}")


def watch_switch(board: Board, name: str, trial: Trial, step: Step = lambda name: None) -> Outcome:
    """Switch, see that something runs it, and wait until it is healthy or taken back.

    Args:
        board: where.
        name: the release's id.
        trial: what the release must do.
        step: is told the name of each step before it is done.

    Raises:
        EdgecrnnError: it cannot be begun.
    """
    with locked(board, f"switch to {name}"):
        state = read_trial(board).state
        begin_trial(board, name, replace(trial, state=state), step)
        step("start")
        if not state:
            start(board)
        step("watch")
        found = wait_for(board, name, trial.patience + _GRACE)
        if found.outcome == "waiting":
            reason = "its supervisor ended, or said nothing of it in time"
            take_back(board, name, _failed(board, name) or reason, step)
            if not state:
                only_one.end_it(health_folder(board))
        # A supervisor that gave up has left nothing running.
        if not state and board.linked(board.current) not in (None, name):
            start(board)
        step("watched")
        return outcome(board, name)


def wait_for(board: Board, name: str, seconds: float) -> Outcome:
    """The outcome of the switch to `name`, as soon as there is one; "waiting" after `seconds`.

    A supervisor that gave the release up takes it back at once. Where it has not, it was killed
    or stopped, and there is nothing more to wait for.
    """
    until = time.monotonic() + seconds
    while True:
        found = outcome(board, name)
        if found.outcome != "waiting" or time.monotonic() >= until:
            return found
        gone = not read_trial(board).state and only_one.who(health_folder(board)) is None
        if gone or _failed(board, name):
            until = min(until, time.monotonic() + _TAKES_BACK)
        time.sleep(_GLANCE)


def outcome(board: Board, name: str) -> Outcome:
    """What became of the switch to `name` so far."""
    trial, health = read_trial(board), _health_of(board, name)
    if trial.taken_back == name and board.linked(board.current) != name:
        words = tuple(tail(health_folder(board) / LOG, _WORDS))
        return Outcome("rolled back", health.frames, trial.reason, words)
    if board.linked(board.current) != name:
        return Outcome("none", 0, "", ())
    proven = health.healthy and not on_trial(board, health)
    return Outcome("healthy" if proven else "waiting", health.frames, "", ())


def roll_back(board: Board, failed: bool, step: Step = lambda name: None) -> tuple[str, str | None]:
    """Go back to the release before; gives the id that ran, and the one that runs now.

    Args:
        board: where.
        failed: only where the release that runs has failed its trial; else nothing is done.
        step: is told the name of each step before it is done.

    Raises:
        EdgecrnnError: there is none before it, or it cannot be written.
    """
    now, before = board.linked(board.current), board.linked(board.previous)
    if now is None:
        raise EdgecrnnError(f"{board.current}: expected a release that runs, got none; flash one")
    if failed:
        reason = _failed(board, now)
        health = read_health(health_folder(board))
        if not on_trial(board, health):
            return now, now
        return now, take_back(board, now, reason or "its service failed", step)
    if before in (None, now):
        raise EdgecrnnError(
            f"{board.previous}: expected a release to go back to, got none; flash the one you want"
        )
    take_back(board, now, "rolled back by hand", step)
    if not read_trial(board).state:
        start(board)
    return now, board.linked(board.current)


def start(board: Board) -> int:
    """Have a supervisor in the background; gives its process id.

    Raises:
        EdgecrnnError: there is no release, or it does not start.
    """
    folder = health_folder(board)
    name = board.linked(board.current)
    if name is None:
        raise EdgecrnnError(f"{board.current}: expected a release to run, got none; flash one")
    if (pid := only_one.who(folder)) is not None:
        return pid
    python = python_of(board, board.read_release(name).environment)
    started = _detached(board, [*_agent(board, python), "supervise", "--state", str(folder)])
    until = time.monotonic() + _BEGINS
    while time.monotonic() < until:
        if (pid := only_one.who(folder)) is not None:
            return pid
        if started.poll() is not None:
            break
        time.sleep(_GLANCE)
    health = _health_of(board, name)
    if health.ended or health.failed or started.poll() == 0:
        # It has done its work, or given up, before it was looked at.
        return 0
    last = (tail(board.logs / FLASH_LOG, 1) or ["nothing"])[-1]
    raise EdgecrnnError(f"supervisor: expected it to start, but it said: {last}")


def stop(board: Board) -> bool:
    """End the supervisor and the run; whether there was one.

    Raises:
        EdgecrnnError: it belongs to somebody else, such as a service.
    """
    return only_one.end_it(health_folder(board))


def _agent(board: Board, python: Sequence[str]) -> list[str]:
    return [*python, "-m", "edgecrnn.runtime.board", "--root", str(board.root)]


def _detached(board: Board, words: Sequence[str]) -> subprocess.Popen[bytes]:
    """A process that lives on where the login ends; what it says goes to flash.log."""
    try:
        board.logs.mkdir(parents=True, exist_ok=True)
        with (board.logs / FLASH_LOG).open("ab") as log:
            return subprocess.Popen(
                list(words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
    except OSError as error:
        raise not_written(board.logs / FLASH_LOG, error) from error


def _health_of(board: Board, name: str) -> Health:
    health = read_health(health_folder(board))
    return health if health.release == name else Health()


def _failed(board: Board, name: str) -> str:
    """Why the supervisor gave this trial up; nothing where it did not."""
    health, trial = _health_of(board, name), read_trial(board)
    return health.failed if health.token == trial.token else ""
