"""A real `edgecrnn run` under a service manager: readiness, watchdog, a model that hangs, ends."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.runtime.camera import Camera
from tests.runtime.service import Manager

Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.close()


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[str, str]:
    """(standard output, standard error) of a process that ends when it is told to."""
    process.send_signal(number)
    return process.communicate(timeout=30)


def test_it_is_ready_once_it_has_classified_and_feeds_the_watchdog(
    edgecrnn: Command, bundle_path: Path, camera: Camera, manager: Manager
) -> None:
    env = manager.environment(watchdog=0.9)
    process = edgecrnn("run", bundle_path, "--source", camera.url, env=env)
    assert process.stdout is not None
    process.stdout.readline()
    manager.wait_for("READY=1")
    manager.wait_for("WATCHDOG=1", 9)
    times = manager.times("WATCHDOG=1")
    # Never later than the manager's patience.
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.9
    assert any(line.startswith("STATUS=") and "running" in line for _, line in manager.lines)
    out, err = end(process)
    assert process.returncode == 0, err
    manager.wait_for("STOPPING=1")
    assert all(json.loads(line)["label"] in ("red", "unknown") for line in out.splitlines())


def test_a_camera_that_may_take_long_is_no_run_that_hangs(
    edgecrnn: Command, bundle_path: Path, tmp_path: Path, manager: Manager
) -> None:
    """A frame every 2 s, then none any more and a pause of 3 s: all of it as it was asked for."""
    camera, once = Path(__file__).parent / "sources/child_camera.py", tmp_path / "once"
    program = shlex.join([sys.executable, str(camera), "red", "sleep:2", "red", "sleep:2", "red"])
    line = f"[ -e {once} ] && exit 1; touch {once}; exec {program}"
    words = ("--timeout", 5, "--first-pause", 3, "--longest-pause", 3)
    spec = "exec:" + shlex.join(["sh", "-c", line])
    env = manager.environment(watchdog=1.5)
    process = edgecrnn("run", bundle_path, "--source", spec, *words, env=env)
    manager.wait_for("READY=1")
    began = time.monotonic()
    while time.monotonic() - began < 6.5:
        time.sleep(0.1)
        times = [began, *manager.times("WATCHDOG=1"), time.monotonic()]
        assert max(b - a for a, b in itertools.pairwise(times)) < 1.5
    end(process)


def test_a_camera_that_is_away_is_tried_and_a_manager_in_another_namespace_is_heard(
    edgecrnn: Command, bundle_path: Path, camera: Camera
) -> None:
    manager = Manager(f"@edgecrnn-test-{os.getpid()}")
    words = ("--timeout", 0.5, "--first-pause", 0.1, "--longest-pause", 0.3)
    env = manager.environment(watchdog=3.0)
    process = edgecrnn("run", bundle_path, "--source", camera.url, *words, env=env)
    manager.wait_for("READY=1")
    camera.kill()
    time.sleep(1.0)
    # Each attempt to open it again is progress: a restart would do no better.
    count = len(manager.times("WATCHDOG=1"))
    manager.wait_for("WATCHDOG=1", count + 2)
    out, _ = end(process)
    assert process.returncode == 0
    json.loads(out.splitlines()[-1])
    manager.close()


@pytest.mark.parametrize("bound", [2.0, 30.0])
def test_a_model_that_hangs_is_noticed(
    edgecrnn: Command,
    make_bundle: Callable[..., Path],
    camera: Camera,
    manager: Manager,
    delegate_library: Path,
    tmp_path: Path,
    bound: float,
) -> None:
    file = tmp_path / "hang"
    env = {**manager.environment(watchdog=0.6), "HANG_FILE": str(file)}
    words = ("--delegate", delegate_library, "--delegate-option", "invoke=hang", "--hang", bound)
    process = edgecrnn("run", make_bundle(), "--source", camera.url, *words, env=env)
    assert process.stderr is not None
    manager.wait_for("WATCHDOG=1", 2)
    file.touch()
    hung = time.monotonic()
    if bound < 10:
        err = process.stderr.read()
        assert process.wait(30) == 2
        assert time.monotonic() - hung > bound
        last = err.splitlines()[-1]
        assert "external: expected an answer for a frame of" in last
        assert "within 2 s, got none" in last
    else:
        time.sleep(3.0)
        process.send_signal(signal.SIGUSR1)
        lines = iter(process.stderr.readline, "")
        assert any(": hung, red" in line for line in lines)
        end(process)
        assert process.returncode == 0
    # Fed no more than once since: for the frames before it hung.
    assert len([moment for moment in manager.times("WATCHDOG=1") if moment > hung + 0.1]) <= 1


def test_sigusr1_says_how_each_source_is_doing(
    edgecrnn: Command, bundle_path: Path, camera: Camera
) -> None:
    words = ("--source", camera.url, "--source", f"{camera.url}?second")
    process = edgecrnn("run", bundle_path, *words)
    assert process.stdout is not None and process.stderr is not None
    sources = set()
    for _ in range(20):
        sources.add(json.loads(process.stdout.readline())["source"])
    assert len(sources) == 2
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    _, err = end(process)
    assert err.count(": running, red") == 2
    assert err.count("captured to published p50") == 2
    assert err.count("interrupted: ") == 2


def test_time_that_jumps_back_changes_nothing(
    edgecrnn: Command, bundle_path: Path, camera: Camera
) -> None:
    code = (
        "import itertools, time\n"
        "real, asked = time.time, itertools.count()\n"
        "time.time = lambda: real() - 86400.0 * (next(asked) > 30)"
    )
    words = ("--source", camera.url, "--max-frames", 80)
    process = edgecrnn("run", bundle_path, *words, code=code)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    results = [json.loads(line) for line in out.splitlines()]
    assert results[-1]["time"] < results[0]["time"] - 80000
    labels = [result["label"] for result in results]
    assert labels == ["unknown"] * 2 + ["red"] * (len(labels) - 2)
    assert len(labels) == 80
    assert "reset" not in err
