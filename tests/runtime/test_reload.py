"""SIGHUP: the bundle's file is loaded again while a camera goes on."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.camera import Camera
from tests.runtime.service import Manager

Command = Callable[..., "subprocess.Popen[str]"]


class Running:
    """A run whose bundle can be replaced."""

    def __init__(
        self, edgecrnn: Command, bundle: Path, camera: Camera, *words: object, **kwargs: Any
    ):
        self.process = edgecrnn("run", bundle, "--source", camera.url, *words, **kwargs)
        self.bundle = bundle
        self.results: list[dict[str, Any]] = []

    def read(self, count: int) -> list[dict[str, Any]]:
        """That many further results."""
        assert self.process.stdout is not None
        lines = [self.process.stdout.readline() for _ in range(count)]
        self.results += [json.loads(line) for line in lines]
        return self.results[-count:]

    def replace(self, other: Path) -> None:
        """Put another bundle in its place, whole, and say so."""
        os.replace(other, self.bundle)
        self.process.send_signal(signal.SIGHUP)

    def until_said(self, words: str) -> str:
        """The line of standard error that holds the words."""
        assert self.process.stderr is not None
        for line in iter(self.process.stderr.readline, ""):
            if words in line:
                return line
        raise AssertionError(words)


def test_a_new_bundle_takes_over_without_a_gap(
    edgecrnn: Command, make_bundle: Callable[..., Path], camera: Camera, tmp_path: Path
) -> None:
    manager = Manager(str(tmp_path / "notify"))
    kept = tmp_path / "kept.jsonl"
    bundle = make_bundle().rename(tmp_path / "live.edgecrnn")
    words = ("--sink", f"jsonl:{kept}")
    running = Running(edgecrnn, bundle, camera, *words, env=manager.environment())
    assert running.read(8)[-1]["label"] == "red"
    running.replace(make_bundle(labels=("rot", "gruen", "blau")))
    said = running.until_said("loaded again")
    assert "live.edgecrnn: loaded again: float32, 1 thread; cpu (XNNPACK" in said
    running.read(12)
    labels = [result["label"] for result in running.results]
    place = labels.index("rot")
    # The state was reset: unknown while warming up, in the new bundle's words.
    assert labels[place - 3 : place + 1] == ["red", "unknown", "unknown", "rot"]
    assert set(running.results[-1]["scores"]) == {"rot", "gruen", "blau"}
    # 25 frames a second for a model of 10: every second or third is read, over the change too.
    frames = [result["frame"] for result in running.results]
    assert max(b - a for a, b in itertools.pairwise(frames)) <= 5
    manager.wait_for("RELOADING=1")
    assert any(line.startswith("MONOTONIC_USEC=") for _, line in manager.lines)
    manager.wait_for("READY=1", 2)
    running.process.terminate()
    _, err = running.process.communicate(timeout=20)
    assert running.process.returncode == 0, err
    written = [json.loads(line)["label"] for line in kept.read_text().splitlines()]
    assert "red" in written and written[-1] == "rot"
    manager.close()


def test_a_server_that_is_away_holds_up_nothing(
    edgecrnn: Command, make_bundle: Callable[..., Path], camera: Camera
) -> None:
    nobody = "--sink", "webhook:http://127.0.0.1:1/", "--sink", "mqtt://127.0.0.1:1/door"
    running = Running(edgecrnn, make_bundle(), camera, *nobody)
    running.read(6)
    running.process.send_signal(signal.SIGHUP)
    assert "warning" not in running.until_said("loaded again")
    # 25 frames a second come: half a second is left out at most, the machine's own pauses too.
    frames = [result["frame"] for result in running.read(20)]
    assert max(b - a for a, b in itertools.pairwise(frames)) <= 14
    running.process.terminate()
    _, err = running.process.communicate(timeout=20)
    assert "webhook:http://127.0.0.1:1: 2 not written\n" in err
    assert "not written: the broker cannot be reached" in err


@pytest.mark.parametrize("kind", ["garbage", "changed byte", "missing", "other format"])
def test_a_bad_bundle_is_refused_and_the_old_one_goes_on(
    edgecrnn: Command,
    make_bundle: Callable[..., Path],
    camera: Camera,
    tmp_path: Path,
    kind: str,
) -> None:
    bundle = make_bundle().rename(tmp_path / "live.edgecrnn")
    running = Running(edgecrnn, bundle, camera)
    running.read(5)
    bad = tmp_path / "bad"
    data = bytearray(bundle.read_bytes())
    if kind == "garbage":
        data = bytearray(b"no bundle at all" * 100)
    elif kind == "changed byte":
        data[data.index(b"TFL3") + 40] ^= 0xFF
    elif kind == "other format":
        data = data.replace(b'"format": 2', b'"format": 9')
    bad.write_bytes(data)
    if kind == "missing":
        bundle.unlink()
        running.process.send_signal(signal.SIGHUP)
    else:
        running.replace(bad)
    said = running.until_said("goes on")
    assert "live.edgecrnn: " in said
    assert said.rstrip().endswith("the bundle that runs goes on")
    # No reset: the state that there was goes on too.
    assert {result["label"] for result in running.read(10)} == {"red"}
    running.process.send_signal(signal.SIGUSR1)
    assert "last error: " in running.until_said("last error")
    running.process.terminate()
    _, err = running.process.communicate(timeout=20)
    assert running.process.returncode == 0
    assert " reset" not in err


def test_several_at_once_are_answered_one_after_the_other(
    edgecrnn: Command, make_bundle: Callable[..., Path], camera: Camera
) -> None:
    running = Running(edgecrnn, make_bundle(), camera)
    running.read(3)
    for _ in range(20):
        running.process.send_signal(signal.SIGHUP)
        time.sleep(0.02)
    running.until_said("loaded again")
    assert running.read(12)[-1]["label"] == "red"
    running.process.terminate()
    _, err = running.process.communicate(timeout=20)
    assert running.process.returncode == 0, err
    assert "Traceback" not in err
