"""A bundle brought to a board over a real sshd: proven there, switched whole, taken back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from tests.devices.a_flash import NAME, Flashing
from tests.runtime.conftest import write_bundle

pytest.importorskip("cryptography")
if shutil.which("rsync") is None:
    pytest.skip("rsync is not installed (apt install rsync)", allow_module_level=True)

from tests.devices.a_fleet import running_fleet

from edgecrnn.devices import keys

pytestmark = pytest.mark.slow


@pytest.fixture
def flashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flashing]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    bundle = write_bundle(tmp_path / "door.edgecrnn")
    with running_fleet(tmp_path / "fleet", tmp_path / "cache", 1) as fleet:
        yield Flashing(fleet, bundle)


def test_the_way_of_a_release_there_and_back(flashing: Flashing) -> None:
    planned = flashing.flash("--dry-run")
    assert planned["outcome"] == "planned"
    assert flashing.fleet.untouched(NAME)
    told = [command for step in planned["steps"] for command in step["commands"]]
    assert any(" install " in command and "--pin KEY" in command for command in told)

    first = flashing.flash()
    assert (first["outcome"], first["previous"]) == ("healthy", None)
    assert first["selftest"]["golden_difference"] <= first["selftest"]["tolerance"]
    assert first["key_id"] in flashing.status()["trusted"]
    # Under three times the bundle's size goes over the wire.
    assert first["sent"] < 3 * flashing.bundle.stat().st_size + 8192

    again = flashing.flash()
    assert (again["outcome"], again["sent"]) == ("unchanged", 0)
    assert not any(step["changed"] for step in again["steps"])

    second = flashing.flash(run=("--threads", "2"))
    assert (second["outcome"], second["previous"]) == ("healthy", first["release"])
    assert "--threads 2" in flashing.command("status")
    assert "healthy after" in flashing.command("logs", "--lines", "200")
    assert f"runs {first['release']} again" in flashing.command("rollback")
    assert flashing.status()["current"] == first["release"]
    assert "go back to, got none" in flashing.command("rollback", code=2)


def test_one_that_fails_is_taken_back_with_its_last_words(flashing: Flashing) -> None:
    old = flashing.flash()["release"]
    failed = flashing.flash(camera="/nowhere/film.avi", code=2)
    assert (failed["outcome"], failed["running"]) == ("rolled back", old)
    assert "/nowhere/film.avi" in failed["reason"]
    assert any("/nowhere/film.avi" in line for line in failed["log"])
    assert flashing.status()["current"] == old


def test_another_key_or_an_older_bundle_is_refused_by_the_board(
    flashing: Flashing, tmp_path: Path
) -> None:
    first = flashing.flash()
    keys.new_key("other")
    answer = flashing.flash("--key", "other", run=("--threads", "2"), code=2)
    assert "expected a key that is trusted here" in answer["refused"]
    old = write_bundle(tmp_path / "old.edgecrnn", created="2025-01-01T00:00:00Z")
    older = Flashing(flashing.fleet, old)
    assert "--allow-downgrade" in older.flash(code=2)["refused"]
    assert flashing.status()["current"] == first["release"]
    assert older.flash("--allow-downgrade")["outcome"] == "healthy"


def test_a_signature_that_does_not_hold_is_refused_before_the_board_is_asked(
    flashing: Flashing, tmp_path: Path
) -> None:
    beside = flashing.bundle.with_name("door.edgecrnn.sig")
    beside.write_text("{}")
    assert "signature" in flashing.flash(code=2)["refused"]
    assert flashing.fleet.untouched(NAME)


def test_too_slow_for_the_budget_is_refused_by_the_board(flashing: Flashing) -> None:
    answer = flashing.flash("--budget", "0.001", code=2)
    assert "expected a step within 0.001 ms" in answer["refused"]
    assert flashing.status()["current"] is None


def test_of_two_who_flash_at_once_one_waits(flashing: Flashing) -> None:
    """And what the first one brought is taken back before the second one's is tried."""
    old = flashing.flash()["release"]
    words = flashing.words(camera="/nowhere/film.avi")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as first:
        while not (status := flashing.status())["on_trial"] and not status["taken_back"]:
            pass
        second = flashing.flash(run=("--threads", "3"))
        assert first.wait() == 2
    assert second["outcome"] == "healthy"
    status = flashing.status()
    assert (status["current"], status["previous"]) == (second["release"], old)


def test_a_wire_that_is_cut_does_not_stop_the_switch(flashing: Flashing) -> None:
    """The board watches by itself; who comes back finds the release there."""
    process = subprocess.Popen(flashing.words(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(b"switch:"):
            break
    flashing.board.stop()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    flashing.board.start()
    while not flashing.status()["healthy"]:
        assert flashing.status()["taken_back"] == ""
    assert flashing.flash()["outcome"] == "unchanged"


STEPS = (
    *("probe", "fits", "wheels", "environment", "sign", "send", "receive-check", "install"),
    *("switch", "watch", "prune"),
)


def _after(step: str, process: subprocess.Popen[bytes]) -> IO[bytes]:
    """Wait until the flash has said that the step is done; what it says next can be read."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"{step}:".encode()):
            return process.stderr
    pytest.fail(f"no step {step}")


def test_the_workstation_killed_after_any_step(flashing: Flashing) -> None:
    """The board runs the release before or the new one, whole, and the next flash succeeds."""
    running = flashing.flash()["release"]
    for number, step in enumerate(STEPS):
        run = ("--threads", str(number + 2))
        words = flashing.words(run=run)
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            _after(step, process)
            os.kill(process.pid, signal.SIGKILL)
        now = flashing.status()["current"]
        done = flashing.flash(run=run)
        assert now in (running, done["release"]), step
        assert done["outcome"] in ("healthy", "unchanged"), step
        running = done["release"]


def test_sshd_killed_at_any_step(flashing: Flashing) -> None:
    """With all that it had started; the next flash goes on, and gets as far as the step after."""
    old = flashing.flash()["release"]
    run = ("--threads", "2")
    for step in STEPS:
        words = flashing.words(run=run)
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            rest = _after(step, process)
            flashing.board.kill()
            said = rest.read().decode()
        assert process.wait() == 0 or re.search(r"edgecrnn: b1: expected .*, got ", said), said
        assert flashing.whole() in (old, None) or step in STEPS[STEPS.index("install") :]
        flashing.board.start()
    done = flashing.flash(run=run)
    assert done["outcome"] in ("healthy", "unchanged")
    assert (flashing.whole(), flashing.status()["previous"]) == (done["release"], old)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "raspberry-pi-5"), "the board is x86_64"),
        (("--profile", "jetson-nano"), "cannot run edgecrnn"),
        (("--delegate", "gpu"), "--delegate"),
        (("--root", "/proc/no"), "/proc/no"),
        (("--key", "nobody"), "nobody"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    flashing: Flashing, words: tuple[str, ...], said: str
) -> None:
    assert said in flashing.flash(*words, code=2)["refused"]
    assert flashing.fleet.untouched(NAME)


def test_a_board_without_python_is_told_what_to_install(flashing: Flashing) -> None:
    (flashing.board.bin / "python3").unlink()
    assert "apt install python3" in flashing.flash(code=2)["refused"]
