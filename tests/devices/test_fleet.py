"""A fleet flashed in waves over real sshd processes: isolated failures, a canary, a second run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.conftest import write_bundle

pytest.importorskip("pyinfra", reason="the extra fleet is not installed")

from tests.devices.a_fleet import Fleet, running_fleet

from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.fleet import flash_fleet, fleet_boards
from edgecrnn.devices.fleet_file import read_fleet_file
from edgecrnn.devices.fleet_settings import BoardReport, FleetBoard, FleetReport, FleetSettings
from edgecrnn.devices.keys import list_keys
from edgecrnn.runtime.errors import EdgecrnnError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "door.edgecrnn")


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with running_fleet(tmp_path / "fleet", tmp_path / "cache", 3) as running:
        yield running


def _boards(file: Path, bundle: Path) -> tuple[FleetBoard, ...]:
    return fleet_boards(read_fleet_file(file), FlashSettings(bundle=str(bundle)), {})


def _states(report: FleetReport) -> list[str]:
    return [board.state for board in report.boards]


def test_what_fails_on_a_board_stays_there_and_the_next_run_does_only_what_is_missing(
    fleet: Fleet, bundle: Path, tmp_path: Path
) -> None:
    fleet.boards["b2"].stop()
    file = fleet.toml(tmp_path / "fleet.toml", b3='camera = "/nowhere/film.avi"')
    told: list[BoardReport] = []
    report = flash_fleet(
        _boards(file, bundle), FleetSettings(batch="2", max_failures=2), told.append
    )
    assert _states(report) == ["healthy", "failed", "rolled back"], report
    assert "connection refused" in report.boards[1].reason
    assert "/nowhere/film.avi" in report.boards[2].reason
    assert report.stopped == ""
    assert [(board.wave, board.canary) for board in report.boards] == [
        (1, True),
        (2, False),
        (2, False),
    ]
    # A wave begins once the one before has ended.
    waves = [each.wave for each in told if each.state != "waiting"]
    assert waves == sorted(waves)
    # Signed once: with the one key that was made for it.
    assert [key.name for key in list_keys()] == ["default"]

    fleet.boards["b2"].start()
    fleet.toml(file)
    report = flash_fleet(_boards(file, bundle), FleetSettings(batch="100%"))
    assert _states(report) == ["unchanged", "healthy", "healthy"], report
    for name, board in zip(fleet.boards, report.boards, strict=True):
        status = fleet.ask(name, "status")
        assert board.flashed is not None and status["current"] == board.flashed.release
        assert status["healthy"] and len(status["trusted"]) == 1

    report = flash_fleet(_boards(file, bundle), FleetSettings(batch="100%"))
    assert _states(report) == ["unchanged"] * 3
    assert [each.flashed.sent for each in report.boards if each.flashed] == [0] * 3


def test_a_canary_that_fails_leaves_all_others_untouched(
    fleet: Fleet, bundle: Path, tmp_path: Path
) -> None:
    fleet.boards["b1"].new_host_key(trust=False)
    fleet.boards["b1"].stop()
    fleet.boards["b1"].start()
    file = fleet.toml(tmp_path / "fleet.toml")
    report = flash_fleet(_boards(file, bundle), FleetSettings(max_failures=3))
    assert _states(report) == ["failed", "not begun", "not begun"]
    assert report.stopped == "the canary failed"
    assert "ssh-keygen -R" in report.boards[0].reason
    assert all(fleet.untouched(name) for name in fleet.boards)


def test_no_wave_is_begun_once_so_many_have_failed(
    fleet: Fleet, bundle: Path, tmp_path: Path
) -> None:
    for name in ("b1", "b2"):
        fleet.boards[name].stop()
    file = fleet.toml(tmp_path / "fleet.toml")
    settings = FleetSettings(canary=0, batch="1", max_failures=2)
    report = flash_fleet(_boards(file, bundle), settings)
    assert _states(report) == ["failed", "failed", "not begun"]
    assert report.stopped == "2 boards failed"
    assert fleet.untouched("b3")


def test_a_dry_run_makes_no_key_and_changes_no_board(
    fleet: Fleet, bundle: Path, tmp_path: Path
) -> None:
    file = read_fleet_file(fleet.toml(tmp_path / "fleet.toml"))
    base = FlashSettings(bundle=str(bundle), dry_run=True)
    report = flash_fleet(fleet_boards(file, base, {}), FleetSettings())
    assert _states(report) == ["planned"] * 3
    assert list_keys() == []
    assert all(fleet.untouched(name) for name in fleet.boards)


def test_two_names_for_one_board_are_refused(fleet: Fleet, bundle: Path, tmp_path: Path) -> None:
    port = fleet.boards["b1"].port
    user = fleet.boards["b1"].user
    file = fleet.toml(tmp_path / "fleet.toml")
    file.write_text(f'{file.read_text()}\n[[hosts]]\nhost = "{user}@127.0.0.1"\nport = {port}\n')
    with pytest.raises(EdgecrnnError, match=f"got 'b1' and '{user}@127.0.0.1', which ssh takes"):
        _boards(file, bundle)
