"""A board that is left alone: systemd is its init, its clock is wrong, its cable is out."""

from __future__ import annotations

import re

import pytest
from tests.board.bad_release import HANGS, PLANT
from tests.vm.conftest import Watched

PYTHON = "/opt/edgecrnn/current/environment/bin/python -I"
AGENT = f"{PYTHON} -m edgecrnn.runtime.board --root /opt/edgecrnn"


@pytest.fixture
def old(board: Watched) -> str:
    """What runs, and is well."""
    board.guest.until(lambda: board.guest.property("ActiveState") == "active")
    return board.guest.run("readlink /opt/edgecrnn/current").strip().rpartition("/")[2]


def planted(board: Watched, number: int, word: str, does: str) -> str:
    """Id of an installed release whose Python does `does` where its arguments hold `word`."""
    words = f"{PYTHON} - {number:016x} '{word}' '{does}'"
    name = board.guest.run(words, stdin=PLANT).strip()
    board.guest.run(f"{AGENT} install {name}")
    return name


def taken_back(board: Watched, name: str, old: str) -> str:
    """Why the board took it back; the release before is well again."""
    status = board.guest.edgecrnn("status", board.guest.name)
    assert (status["current"], status["taken_back"]) == (old, name)
    assert status["healthy"] and status["service"] == "systemd"
    return str(status["reason"])


def test_it_came_onto_a_board_whose_clock_is_years_ahead(board: Watched) -> None:
    assert int(board.guest.run("date +%Y")) == 2034
    assert any("days fast" in note for note in board.first["notes"])


def test_the_service_may_open_the_camera_and_not_the_disk(board: Watched, old: str) -> None:
    pid = board.guest.property("MainPID")
    assert board.guest.run(f"ps -o user= -p {pid}").strip() == "edgecrnn"
    run = board.guest.run(f"pgrep -P {pid}").split()[0]
    assert "/dev/video0" in board.guest.run(f"sudo ls -l /proc/{run}/fd")
    # The kernel's own word: not even root may open the disk from within the service's group.
    group = "/sys/fs/cgroup/system.slice/edgecrnn.service/cgroup.procs"
    inside = f"sudo sh -c 'echo $$ >{group}; exec head -c {{}} {{}}'"
    refused = board.guest.try_run(inside.format(1, "/dev/vda"))
    assert refused.returncode and "Operation not permitted" in refused.stderr
    assert board.guest.try_run(inside.format(0, "/dev/video1")).returncode == 0


def test_systemd_scores_it(board: Watched) -> None:
    version = board.guest.run("systemctl --version").split()[1]
    for unit, most in (("edgecrnn.service", 1.5), ("edgecrnn-rollback.service", 0.9)):
        said = board.guest.run(f"sudo systemd-analyze security --no-pager {unit}")
        found = re.search(r"exposure level for .*: ([\d.]+)", said)
        assert found is not None and float(found[1]) <= most
        print(f"systemd {version} scores {unit} {found[1]}")


def test_a_release_that_hangs_is_taken_back_with_the_cable_out(board: Watched, old: str) -> None:
    name, before = planted(board, 1, "edgecrnn run", HANGS), len(board.guest.said())
    board.guest.run(f"{AGENT} switch {name} --patience 30 --frames 5")
    with board.guest.without_link():
        assert board.guest.try_run("true").returncode
        board.guest.until(lambda: f"{name}: on trial, taken back" in board.guest.said()[before:])
        board.guest.until(lambda: f"{old}: healthy" in board.guest.said()[before:])
    board.guest.until(lambda: board.guest.try_run("true").returncode == 0)
    assert "classified 0 of 5 frames within 30 s" in taken_back(board, name, old)
