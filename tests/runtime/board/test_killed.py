"""A kill at every step that the board takes: afterwards it runs old or new, whole, and goes on."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runtime.board.a_board import KEY, ABoard, make_environment, public

pytestmark = pytest.mark.slow

PIN = ("--pin", public(KEY))
INSTALL = (
    *("prove", "self-test", "pin key", "write proof"),
    *("sync release", "rename release", "sync releases", "installed"),
)
_POINT = ("sync target", "make link", "rename link", "sync link", "linked")
SWITCH = (
    "write trial",
    *(f"previous: {step}" for step in _POINT),
    *(f"current: {step}" for step in _POINT),
    "start",
    "watch",
    "watched",
)
ROLLBACK = ("write reason", *(f"current: {step}" for step in _POINT), "remove previous")


def killed_at(board: ABoard, step: str, *words: str) -> None:
    """Run the agent until it is before `step`, and kill it there."""
    process = subprocess.Popen(
        board.words(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"EDGECRNN_STOP_AT": step},
    )
    assert process.stderr is not None
    assert process.stderr.readline() == f"stopped at {step}\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture
def film(write_video: Callable[..., Path]) -> list[str]:
    return ["--source", str(write_video(["red"] * 5))]


def test_killed_at_any_step_of_an_install(
    board: ABoard, bundle_path: Path, film: list[str]
) -> None:
    for number, step in enumerate(INSTALL):
        # Another release each time, since one that is installed is not installed again.
        name = board.send(bundle_path, [*film, "--threads", str(number + 1)])
        if step == "pin key":
            board.board.trusted.unlink(missing_ok=True)
        killed_at(board, step, "install", name, *PIN)
        assert board.running() is None
        assert "error" not in board.ask("install", name, *PIN), step
        assert board.board.read_release(name).id == name


def test_killed_at_any_step_of_a_switch(board: ABoard, bundle_path: Path, film: list[str]) -> None:
    old = board.install(bundle_path, film)
    board.switch(old)
    names = [old, board.install(bundle_path, [*film, "--threads", "2"])]
    for number, step in enumerate(SWITCH):
        running, next_one = names[number % 2], names[1 - number % 2]
        killed_at(board, step, "watch", next_one)
        assert board.running() in (running, next_one), step
        assert board.switch(next_one)["outcome"] == "healthy", step
        assert board.running() == next_one


def test_killed_at_any_step_of_a_rollback(
    board: ABoard, bundle_path: Path, film: list[str]
) -> None:
    old = board.install(bundle_path, film)
    new = board.install(bundle_path, [*film, "--threads", "2"])
    for name in (old, new):
        board.switch(name)
    for step in ROLLBACK:
        killed_at(board, step, "rollback")
        assert board.running() in (old, new), step
        assert board.switch(new)["outcome"] == "healthy", step


def test_killed_while_it_prunes(board: ABoard, bundle_path: Path, film: list[str]) -> None:
    """What runs and what ran before it stay whole; what was half removed goes the next time."""
    names = [board.install(bundle_path, [*film, "--threads", str(n)]) for n in (1, 2, 3, 4)]
    for name in names[2:]:
        board.switch(name)
    spare = board.board.environment("f" * 16)
    make_environment(board.board, spare.name)
    for step in (f"remove release {names[1]}", f"remove environment {spare.name}"):
        killed_at(board, step, "prune")
        assert board.running() == names[3], step
        assert board.board.linked(board.board.previous) == names[2]
    assert board.ask("prune")["removed"] == [spare.name]
    assert not spare.exists() and sorted(board.board.releases()) == sorted(names[2:])
    assert "error" not in board.ask("rollback")
    assert board.running() == names[2]
