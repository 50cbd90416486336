"""A card boots: cloud-init hands over, a release comes up as a service, and is kept or taken back.

`make test-board` runs it. systemd and cloud-init are real; kernel, card and camera are not those of
a board.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

pytest.importorskip("cryptography", reason="the extra flash is not installed")

from tests.board.booted_card import FILM, Booted, booted

pytestmark = pytest.mark.skipif(
    not os.environ.get("EDGECRNN_BOARD"), reason="no board is emulated (make test-board makes one)"
)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        with booted(tmp_path_factory.mktemp("card")) as running:
            yield running


def current(board: Booted) -> str:
    return (board.root / "opt/edgecrnn/current").readlink().name


def test_the_first_boot_ends_with_a_service_that_classifies(board: Booted) -> None:
    (line,) = board.told("frames classified")
    assert current(board) in line
    board.wait("ActiveState", "active")
    assert "red" in board.property("StatusText")
    # The person's own user-data was acted on too.
    assert (board.root / "etc/mine").exists()
    # The service's user owns its state, and none of the releases.
    health = board.root / "var/lib/edgecrnn/health.json"
    assert health.stat().st_uid != (board.root / "opt/edgecrnn").stat().st_uid


def test_systemd_scores_the_service_that_runs(board: Booted) -> None:
    said = board.run("systemd-analyze", "security", "--no-pager", "edgecrnn")
    assert "exposure level for edgecrnn.service: 1.5" in said


def test_a_release_that_fails_is_taken_back_by_systemd(board: Booted) -> None:
    before = current(board)
    written = board.write("/srv/none.avi")
    board.run("systemctl", "restart", "edgecrnn-first-boot")
    (line,) = board.told("taken back")
    assert "/srv/none.avi: expected a video file" in line
    assert written.release != before and current(board) == before
    board.wait("ActiveState", "active")
    assert "Triggering OnFailure=" in board.run("journalctl", "--no-pager", "-u", "edgecrnn")


def test_a_supervisor_that_is_killed_or_hangs_is_started_again(board: Booted) -> None:
    folder = board.root / "etc/systemd/system/edgecrnn.service.d"
    folder.mkdir()
    (folder / "soon.conf").write_text("[Service]\nWatchdogSec=5\n")
    board.run("systemctl", "daemon-reload")
    board.run("systemctl", "restart", "edgecrnn")
    for number, count in ((signal.SIGKILL, "1"), (signal.SIGSTOP, "2")):
        board.wait("ActiveState", "active")
        board.run("kill", f"-{number.value}", board.property("MainPID"))
        board.wait("NRestarts", count)
    board.wait("ActiveState", "active")


def test_a_boot_with_the_same_card_brings_nothing_anew(board: Booted) -> None:
    board.write(FILM)
    board.run("systemctl", "restart", "edgecrnn-first-boot")
    log = board.root / "boot/firmware/edgecrnn-first-boot.txt"
    before = board.told("frames classified", 2)
    board.run("systemctl", "restart", "edgecrnn-first-boot")
    board.run("sh", "-c", "while systemctl -q is-active edgecrnn-first-boot; do sleep 0.2; done")
    assert [line for line in log.read_text().splitlines() if "frames" in line] == before
