"""Releases that do badly under a real systemd: the board takes them back, and nobody tells it to.

Each is switched to by the board's own agent; no connection is there afterwards.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

pytest.importorskip("cryptography", reason="the extra flash is not installed")

from tests.board.bad_release import HANGS, PLANT, QUICK
from tests.board.booted_card import Booted, booted

pytestmark = pytest.mark.skipif(
    not os.environ.get("EDGECRNN_BOARD"), reason="no board is emulated (make test-board makes one)"
)
ROOT = "opt/edgecrnn"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        with booted(tmp_path_factory.mktemp("card")) as running:
            running.told("frames classified")
            (running.root / "srv/plant.py").write_text(PLANT)
            yield running


@pytest.fixture
def old(board: Booted) -> str:
    """What runs, and is well."""
    board.wait("ActiveState", "active")
    return (board.root / ROOT / "current").readlink().name


@pytest.fixture
def quick(board: Booted) -> Iterator[None]:
    """systemd's patience with a supervisor, in seconds instead of minutes."""
    file = board.root / "etc/systemd/system/edgecrnn.service.d/quick.conf"
    file.parent.mkdir(exist_ok=True)
    file.write_text(QUICK)
    board.run("systemctl", "daemon-reload")
    # The watchdog of a service that runs stays as it was when it started.
    board.run("systemctl", "restart", "edgecrnn")
    board.wait("ActiveState", "active")
    yield
    file.unlink()
    board.run("systemctl", "daemon-reload")


def python(board: Booted, *words: str) -> str:
    """The running release's Python, as the one whose folder it is."""
    who = board.run("stat", "-c", "%U", f"/{ROOT}").strip()
    line = ("runuser", "-u", who, "--", f"/{ROOT}/current/environment/bin/python", "-I")
    return board.run(*line, *words)


def agent(board: Booted, *words: str) -> str:
    """What the board's agent answers."""
    return python(board, "-m", "edgecrnn.runtime.board", "--root", f"/{ROOT}", *words)


def planted(board: Booted, number: int, word: str, does: str) -> str:
    """Id of an installed release whose Python does `does` where its arguments hold `word`."""
    name = python(board, "/srv/plant.py", f"{number:016x}", word, does).strip()
    assert '"installed": true' in agent(board, "install", name)
    return name


def journal(board: Booted) -> str:
    return board.run("journalctl", "--no-pager", "-o", "cat", "-u", "edgecrnn")


def taken_back(board: Booted, name: str, old: str, before: str) -> str:
    """Why it was taken back; the release before is well again, as a service."""
    board.until(lambda: f"{old}: healthy" in journal(board)[len(before) :])
    status = agent(board, "status")
    assert f'"current": "{old}"' in status and f'"taken_back": "{name}"' in status
    assert '"service": "systemd"' in status
    board.wait("ActiveState", "active")
    return status


def test_a_run_that_hangs_is_ended_by_its_watchdog_and_started_again(
    board: Booted, old: str
) -> None:
    supervisor = board.property("MainPID")
    run = board.run("pgrep", "-P", supervisor).split()[0]
    board.run("kill", f"-{signal.SIGSTOP.value}", run)
    board.until(lambda: "the run made no progress for 30 s" in journal(board))
    board.until(lambda: board.run("pgrep", "-P", supervisor).split()[:1] not in ([], [run]))
    assert (board.property("MainPID"), board.property("NRestarts")) == (supervisor, "0")


@pytest.mark.parametrize(
    ("number", "does", "reason"),
    [
        (1, HANGS, "classified 0 of 5 frames within 15 s"),
        (
            2,
            "echo no such driver >&2; exit 3",
            "the run ended with code 3; it said: no such driver",
        ),
    ],
)
def test_one_whose_run_does_badly(
    board: Booted, old: str, number: int, does: str, reason: str
) -> None:
    name, before = planted(board, number, "edgecrnn run", does), journal(board)
    agent(board, "switch", name, "--patience", "15", "--frames", "5")
    assert reason in taken_back(board, name, old, before)


@pytest.mark.parametrize(
    ("number", "does", "result"), [(3, HANGS, "watchdog"), (4, "exit 1", "exit-code")]
)
def test_one_whose_supervisor_does_badly(
    board: Booted, old: str, quick: None, number: int, does: str, result: str
) -> None:
    """Before whoever began the switch would lose patience."""
    name, before = planted(board, number, "supervise", does), journal(board)
    agent(board, "switch", name, "--patience", "600", "--frames", "5")
    assert "its service failed" in taken_back(board, name, old, before)
    said = journal(board)[len(before) :]
    assert f"Failed with result '{result}'" in said
    assert "Start request repeated too quickly" in said and "Triggering OnFailure=" in said


def test_one_that_hangs_after_the_switch_and_nobody_watches_any_more(
    board: Booted, old: str, quick: None
) -> None:
    """As after a power cut in the middle of a trial: the start itself hangs."""
    name, before = planted(board, 5, "supervise", HANGS), journal(board)
    board.run("systemctl", "stop", "edgecrnn")
    agent(board, "switch", name, "--patience", "600", "--frames", "5")
    board.run("pkill", "-KILL", "-f", f"watch {name}")
    board.run("systemctl", "start", "--no-block", "edgecrnn")
    assert "its service failed" in taken_back(board, name, old, before)
    assert "Failed with result 'timeout'" in journal(board)[len(before) :]


def test_a_supervisor_that_waits_for_a_camera_is_none_that_hangs(
    board: Booted, old: str, quick: None
) -> None:
    """For longer than a start may take where nothing is said."""
    before = journal(board)
    film = board.root / "srv/film.avi"
    film.rename(film.with_suffix(".away"))
    try:
        board.run("systemctl", "restart", "--no-block", "edgecrnn")
        board.until(lambda: journal(board)[len(before) :].count("the run ended with code 2") >= 4)
        assert board.property("ActiveState") == "activating"
        assert board.property("NRestarts") == "0"
    finally:
        film.with_suffix(".away").rename(film)
    board.wait("ActiveState", "active")
    assert "result 'timeout'" not in journal(board)[len(before) :]
