"""A release on trial, kept or taken back, with the real run of a real camera's pictures."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runtime.board.a_board import ABoard
from tests.runtime.camera import Camera

from edgecrnn.runtime.board.trial import read_health

pytestmark = pytest.mark.slow

Make = Callable[..., Path]
QUICK = ("--patience", "60", "--frames", "5")


def _from(camera: Camera, *more: str) -> list[str]:
    return ["--source", camera.url, *more]


def test_a_release_that_classifies_is_kept_and_a_rollback_brings_the_old_one(
    board: ABoard, camera: Camera, bundle_path: Path
) -> None:
    old = board.install(bundle_path, _from(camera))
    first = board.switch(old, *QUICK)
    assert (first["outcome"], first["reason"]) == ("healthy", "")
    assert first["frames"] >= 5
    status = board.ask("status")
    assert (status["current"], status["previous"]) == (old, None)
    assert status["running"] and status["healthy"] and not status["on_trial"]
    assert status["name"] == "colors"
    assert board.ask("switch", old) == {"switching": False, "why": "it runs already"}
    assert "go back to, got none" in board.ask("rollback")["error"]

    new = board.install(bundle_path, _from(camera, "--threads", "2"))
    assert board.switch(new, *QUICK)["outcome"] == "healthy"
    status = board.wait("current", new)
    assert status["previous"] == old
    # The supervisor became the new release's: the same process, which the links lead.
    assert any("healthy after" in line for line in board.ask("logs")["lines"])

    assert board.ask("rollback") == {"from": new, "to": old}
    board.wait("healthy")
    assert board.running() == old
    assert board.ask("status")["reason"] == "rolled back by hand"
    assert board.ask("prune", "--keep", "1") == {"removed": [new]}
    assert board.ask("stop")["stopped"]
    assert not board.ask("status")["running"]


def test_a_release_without_a_camera_is_taken_back_and_the_old_one_runs(
    board: ABoard, camera: Camera, bundle_path: Path
) -> None:
    old = board.install(bundle_path, _from(camera))
    board.switch(old, *QUICK)
    new = board.install(bundle_path, ["--source", "/nowhere/film.avi"])
    found = board.switch(new, *QUICK)
    assert found["outcome"] == "rolled back"
    assert "/nowhere/film.avi" in found["reason"]
    assert any("/nowhere/film.avi" in line for line in found["log"])
    status = board.wait("healthy")
    assert (status["current"], status["previous"]) == (old, None)
    assert status["taken_back"] == new
    assert board.ask("outcome", new)["outcome"] == "rolled back"


def test_a_camera_that_freezes_is_seen_by_the_frames_that_do_not_come(
    board: ABoard, camera: Camera, bundle_path: Path
) -> None:
    old = board.install(bundle_path, _from(camera))
    board.switch(old, *QUICK)
    camera.say("freeze")
    new = board.install(bundle_path, _from(camera, "--threads", "2"))
    found = board.switch(new, "--patience", "3", "--frames", "1000000")
    assert found["outcome"] == "rolled back"
    assert "frames within 3 s" in found["reason"] or "ended with" in found["reason"]
    assert board.running() == old


def test_the_first_release_that_fails_leaves_none(board: ABoard, bundle_path: Path) -> None:
    name = board.install(bundle_path, ["--source", "/nowhere/film.avi"])
    found = board.switch(name, *QUICK)
    assert found["outcome"] == "rolled back"
    assert board.running() is None
    status = board.ask("status")
    assert (status["current"], status["running"]) == (None, False)
    assert "flash one" in board.ask("start")["error"]


def test_a_film_that_is_classified_to_its_end_is_well(
    board: ABoard, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    film = write_video(["red"] * 20)
    name = board.install(bundle_path, ["--source", str(film)])
    assert board.switch(name, "--frames", "1000")["outcome"] == "healthy"
    status = board.wait("ended")
    assert (status["healthy"], status["frames"]) == (True, 20)


def test_a_run_that_dies_is_started_again(board: ABoard, camera: Camera, bundle_path: Path) -> None:
    name = board.install(bundle_path, _from(camera))
    board.switch(name, *QUICK)
    before = read_health(board.board.root).pid
    os.kill(before, signal.SIGKILL)
    end = time.monotonic() + 60
    while (health := read_health(board.board.root)).pid in (0, before) or health.frames == 0:
        assert time.monotonic() < end, health
        time.sleep(0.1)
    assert board.running() == name
    assert any("ended with code -9" in line for line in board.ask("logs")["lines"])


def test_the_run_ends_with_its_supervisor(board: ABoard, camera: Camera, bundle_path: Path) -> None:
    """Else it would hold the camera against the next one."""
    board.switch(board.install(bundle_path, _from(camera)), *QUICK)
    run = read_health(board.board.root).pid
    os.kill(board.ask("status")["pid"], signal.SIGKILL)
    end = time.monotonic() + 30
    while _lives(run):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert board.ask("start")["running"]


def test_a_second_switch_is_told_of_the_first(
    board: ABoard, camera: Camera, bundle_path: Path
) -> None:
    first = board.install(bundle_path, _from(camera))
    other = board.install(bundle_path, _from(camera, "--threads", "2"))
    flags = ("--patience", "15", "--frames", "1000000")
    assert board.ask("switch", first, *flags)["switching"]
    error = board.ask("switch", other)["error"]
    assert f"holds it to switch to {first}" in error
    assert board.ask("outcome", first, "--wait", "100")["outcome"] == "rolled back"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
