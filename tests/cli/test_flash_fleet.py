"""edgecrnn flash --inventory: what a person sees, the JSON, Ctrl-C, and the sentences."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from tests.runtime.conftest import write_bundle

pytest.importorskip("pyinfra", reason="the extra fleet is not installed")

from tests.devices.a_fleet import Fleet, running_fleet

from edgecrnn.cli import main

_LATER = 120.0  # s; so long a busy machine may take


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "door.edgecrnn")


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with running_fleet(tmp_path / "fleet", tmp_path / "cache", 2) as running:
        yield running


def _words(bundle: Path, inventory: Path, *more: str) -> list[str]:
    return ["flash", str(bundle), "--inventory", str(inventory), *more]


def test_a_failed_canary_is_told_by_name_and_reported_as_json(
    fleet: Fleet, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.boards["b1"].stop()
    report = tmp_path / "report.json"
    words = _words(bundle, fleet.toml(tmp_path / "fleet.toml"), "--report", str(report))
    assert main(words) == 2
    said = capsys.readouterr()
    assert "b1: failed after" in said.out and "connection refused" in said.out
    assert "1 board was not begun (the canary failed): b2" in said.out
    assert said.err == (
        "edgecrnn: expected 2 boards to run door.edgecrnn, got 1 failed (b1), 1 board not begun; "
        "see what each needs and start again: only what is missing is done\n"
    )
    written = json.loads(report.read_text())
    assert [board["state"] for board in written["boards"]] == ["failed", "not begun"]
    assert written["stopped"] == "the canary failed"

    # As JSON, standard output is nothing else.
    assert main([*words, "--json"]) == 2
    again = json.loads(capsys.readouterr().out)
    assert [board["state"] for board in again["boards"]] == ["failed", "not begun"]


def _slow_rsync(folder: Path) -> Path:
    """Beside the real one, which it becomes after a second; gives the file it writes at first."""
    folder.mkdir()
    script = folder / "rsync"
    script.write_text(f'#!/bin/sh\ntouch {folder}/began\nsleep 1\nexec {which("rsync")} "$@"\n')
    script.chmod(0o755)
    return folder / "began"


def test_ctrl_c_lets_the_board_at_work_come_to_its_end(
    fleet: Fleet, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory = fleet.toml(tmp_path / "fleet.toml")
    began = _slow_rsync(tmp_path / "bin")
    command = [sys.executable, "-u", "-m", "edgecrnn", *_words(bundle, inventory)]
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PATH": path},
    )
    until = time.monotonic() + _LATER
    while not began.exists():
        assert running.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    # As a terminal does it: the signal goes to the whole group, in the middle of a file.
    os.killpg(running.pid, signal.SIGINT)
    out, _ = running.communicate(timeout=_LATER)
    assert running.returncode == 130, out
    assert "b1: healthy after" in out and "1 board now runs door.edgecrnn" in out
    assert "1 board was not begun (interrupted): b2" in out
    assert fleet.ask("b1", "status")["healthy"] and fleet.untouched("b2")

    # The next run goes on with what is missing; here there is nothing for the first board.
    fleet.boards["b2"].stop()
    assert main(_words(bundle, inventory)) == 2
    said = capsys.readouterr().out
    assert "b1: unchanged after" in said and "1 board had it already" in said


def test_a_dry_run_tells_the_steps_and_a_flag_wins_over_the_file(
    fleet: Fleet, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = _words(bundle, fleet.toml(tmp_path / "fleet.toml"), "--dry-run", "--json")
    assert main([*words, "--camera", "7", "--", "--threads", "2"]) == 0
    boards = json.loads(capsys.readouterr().out)["boards"]
    assert [board["state"] for board in boards] == ["planned", "planned"]
    # The same release for both: what was given counts for every board.
    assert len({board["flashed"]["release"] for board in boards}) == 1
    assert main(words) == 0
    others = json.loads(capsys.readouterr().out)["boards"]
    assert others[0]["flashed"]["release"] != boards[0]["flashed"]["release"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["pi@a", "--inventory", "fleet.toml"], "HOST: expected none beside --inventory"),
        ([], "HOST: expected USER@HOST, got none; name a board, or an --inventory"),
        (["pi@a", "--canary", "2"], "--canary: expected --inventory with it"),
        (["pi@a", "--report", "x.json"], "--report: expected --inventory with it"),
        (["--inventory", "none.toml"], "none.toml: expected the file that lists the boards"),
        (["--inventory", "fleet.toml", "--batch", "0%"], "--batch: expected a number of boards"),
        (["--inventory", "fleet.toml", "--max-failures", "0"], "--max-failures: expected at least"),
        (["--inventory", "fleet.toml", "--report", "."], "."),
        (["--inventory", "fleet.toml", "--", "--treads", "2"], "pi@a: arguments of edgecrnn run"),
        (["--inventory", "empty.toml"], "empty.toml: expected at least one board"),
    ],
)
def test_a_mistake_is_told_before_any_board_is_reached(
    words: list[str],
    sentence: str,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fleet.toml").write_text('[[hosts]]\nhost = "pi@a"\n')
    Path("empty.toml").write_text("")
    assert main(["flash", str(bundle), *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1, said


def test_what_is_no_bundle_is_refused_before_any_board_is_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fleet.toml").write_text('[[hosts]]\nhost = "pi@a"\n')
    (tmp_path / "door.edgecrnn").write_bytes(b"no zip")
    assert main(_words(tmp_path / "door.edgecrnn", tmp_path / "fleet.toml")) == 2
    assert "door.edgecrnn" in capsys.readouterr().err


def test_without_the_extra_the_install_is_told(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "fleet.toml").write_text('[[hosts]]\nhost = "pi@a"\n')
    code = (
        "import sys\nsys.modules['gevent'] = sys.modules['pyinfra'] = None\n"
        "from edgecrnn.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    words = _words(bundle, tmp_path / "fleet.toml")
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert ran.returncode == 2
    assert 'needs pyinfra, which is not installed; pip install "edgecrnn[fleet]"' in ran.stderr
