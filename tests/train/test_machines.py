"""Two worker processes on loopback: the updates of one, one checkpoint, and no hanging about."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.journey import write_clips

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.machines import ALONE, Machines, is_chief
from edgecrnn.train.run_folder import load_model, read_record

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips") / "data", per_class=8, frames=8)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(data: Path, out: Path, workers: int = 1, *words: str) -> list[subprocess.Popen[str]]:
    """Each worker writes its losses to OUT-losses-NUMBER.json."""
    ports = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    processes = []
    for index in range(workers):
        config = {"cluster": {"worker": ports}, "task": {"type": "worker", "index": index}}
        env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if workers > 1:
            env["TF_CONFIG"] = json.dumps(config)
        losses = out.with_name(f"{out.name}-losses-{index}.json")
        command = [sys.executable, str(WORKER), str(data), str(out), str(losses), *words]
        processes.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    return processes


def finish(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        _, said = process.communicate(timeout=180)
        assert process.returncode == 0, said


def losses(out: Path, worker: int) -> list[float]:
    return json.loads(out.with_name(f"{out.name}-losses-{worker}.json").read_text())


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone") / "run"
    finish(start(data, out))
    return out


def same_training(out: Path, alone: Path) -> None:
    one, other_one = losses(alone, 0), losses(out, 0)
    assert len(one) == len(other_one) >= 9
    assert np.abs(np.subtract(other_one, one)).max() < 1e-4
    record, other = read_record(out), read_record(alone)
    for line, wanted in zip(record.history, other.history, strict=True):
        assert line["val_loss"] == pytest.approx(wanted["val_loss"], abs=1e-4)
    for weight, value in zip(load_model(out).weights, load_model(alone).weights, strict=True):
        assert np.allclose(weight.numpy(), value.numpy(), atol=1e-3)


def test_two_workers_take_the_steps_of_one(data: Path, alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    finish(start(data, out, 2))
    same_training(out, alone)
    assert losses(out, 0) == losses(out, 1)


def test_two_devices_of_one_machine_take_the_steps_of_one(
    data: Path, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    finish(start(data, out, 1, "two-devices"))
    same_training(out, alone)


def test_a_worker_that_is_killed_costs_an_epoch_at_most(
    data: Path, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    first, second = start(data, out, 2, "die")
    second.communicate(timeout=180)
    assert second.returncode == -signal.SIGKILL
    _, said = first.communicate(timeout=120)
    assert first.returncode == 2
    assert "worker 0: expected 2 workers until the end, lost one" in said and "--resume" in said
    finish(start(data, out, 2, "resume"))
    record, wanted = read_record(out), read_record(alone)
    assert [line["epoch"] for line in record.history] == [1, 2, 3]
    for line, other in zip(record.history, wanted.history, strict=True):
        assert line["loss"] == pytest.approx(other["loss"], abs=1e-4)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{", "TF_CONFIG: expected"),
        ('{"cluster": {}}', "KeyError('task')"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "no worker 1"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}', "no ps 0"),
    ],
)
def test_a_config_that_is_none(said: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", said)
    with pytest.raises(EdgecrnnError, match="TF_CONFIG") as raised:
        is_chief()
    assert expected in str(raised.value)


def test_the_chief_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    for kind, index, wanted in (("chief", 0, True), ("worker", 0, False), ("worker", 1, False)):
        config = {"cluster": cluster, "task": {"type": kind, "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert is_chief() is wanted


def test_rows_are_shared_evenly() -> None:
    assert ALONE.rows(5) == range(5)
    assert [list(Machines(None, worker, 2, 2).rows(8)) for worker in (0, 1)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]
    with pytest.raises(EdgecrnnError, match=r"4 devices can share evenly, got 6; try --batch 8"):
        Machines(None, 0, 2, 2).rows(6)
