"""pyinfra under a fleet: boards at once in threads, and gevent in no other command."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("pyinfra", reason="the extra fleet is not installed")

from edgecrnn.cli import COMMANDS
from edgecrnn.devices.fleet_engine import run_wave

_LATER = 60.0  # s; so long a busy machine may take


def test_boards_of_a_wave_are_at_work_at_the_same_time() -> None:
    together = threading.Barrier(3)

    def work(host: str) -> bool:
        together.wait(_LATER)
        # A process of the usual kind, whose end is waited for without gevent's loop.
        return subprocess.run(["test", host, "!=", "b2"]).returncode == 0

    assert run_wave(["b1", "b2", "b3"], work) == {"b2"}


def test_where_all_fail_the_wave_still_ends() -> None:
    assert run_wave(["b1", "b2"], lambda host: False) == {"b1", "b2"}


def test_what_pyinfra_would_print_of_a_failure_is_left_to_the_report(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run_wave(["b1"], lambda host: False)
    assert capfd.readouterr() == ("", "")


def test_one_slow_board_keeps_no_other_from_its_end() -> None:
    done: dict[str, float] = {}
    others = threading.Event()

    def work(host: str) -> bool:
        if host == "slow":
            assert others.wait(_LATER)
        done[host] = time.monotonic()
        if len(done) == 2:
            others.set()
        return True

    assert run_wave(["slow", "b1", "b2"], work) == set()
    assert max(done, key=done.__getitem__) == "slow"


def _imported(code: str) -> list[str]:
    """Which of gevent and pyinfra a process has after `code`; and whether gevent changed it."""
    told = (
        f"{code}\nimport sys\nfound = [n for n in ('gevent', 'pyinfra') if n in sys.modules]\n"
        "if found:\n    from gevent import monkey\n    found.append(str(monkey.saved))\n"
        "print(*found)"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_no_other_command_imports_gevent_and_a_fleet_is_not_patched_by_it() -> None:
    modules = "\n".join(f"import edgecrnn.cli.{name}" for name in COMMANDS)
    assert _imported(f"{modules}\nimport edgecrnn.devices.fleet") == []
    assert _imported("import edgecrnn.devices.fleet_engine") == ["gevent", "pyinfra", "{}"]
