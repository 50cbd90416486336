"""A checkpoint is the old one or the new one, whole, whatever moment the process is killed at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.checkpoint import Progress, read_checkpoint, write_checkpoint

KILLS = 60
SHAPES = ((512, 512), (256,), (64, 64, 3))

# Writes one checkpoint after another, each filled with its number; tells once it has begun. A fork
# of a process that has imported Keras writes at once, so that there is time for many kills.
WRITER = f"""
import os, sys
from pathlib import Path
import keras, numpy as np
from edgecrnn.train.checkpoint import Progress, write_checkpoint

path = Path(sys.argv[1])
for line in sys.stdin:
    first = int(line)
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        number = first
        while True:
            values = [np.full(shape, number, np.float32) for shape in {SHAPES}]
            progress = Progress(number, number, ({{"epoch": number}},), tuple(values))
            write_checkpoint(path, progress, values)
            number += 1
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def test_kills_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    rng = np.random.default_rng(0)
    read, newest, half_written = [], 0, 0
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdin is not None and parent.stdout is not None
        for _ in range(KILLS):
            parent.stdin.write(f"{newest + 1}\n")
            parent.stdin.flush()
            writer = int(parent.stdout.readline())
            while not path.exists():
                time.sleep(0.001)
            time.sleep(rng.uniform(0.0, 0.08))
            os.kill(writer, signal.SIGKILL)
            assert parent.stdout.readline() == "ended\n"
            variables = [keras.Variable(np.zeros(shape, np.float32)) for shape in SHAPES]
            progress = read_checkpoint(path, variables)
            assert progress.epoch == progress.best_epoch == progress.history[0]["epoch"] >= newest
            for value in (*variables, *progress.best):
                assert (np.asarray(value) == progress.epoch).all()
            read.append(progress.epoch)
            newest = progress.epoch
            left = [file for file in tmp_path.iterdir() if file != path]
            half_written += len(left)
            for file in left:
                file.unlink()
        parent.stdin.close()
    assert read == sorted(read)
    # The kills fell between writes and into them: otherwise the test would show nothing.
    assert len(set(read)) > 5 and half_written > 5, (read, half_written)


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]
    line = {"epoch": 1, "loss": 0.1 + 0.2}
    progress = Progress(3, 1, (line, line), tuple(value * 2 for value in values))
    write_checkpoint(tmp_path / "c.npz", progress, values)
    variables = [keras.Variable(np.zeros(shape, np.float32)) for shape in SHAPES]
    read = read_checkpoint(tmp_path / "c.npz", variables)
    for one, other in zip((*values, *progress.best), (*variables, *read.best), strict=True):
        np.testing.assert_array_equal(np.asarray(other), one)
    assert (read.epoch, read.best_epoch, read.history) == (3, 1, (line, line))


def test_damage_is_refused(tmp_path: Path) -> None:
    """Any byte changed, any length cut off: refused, or what is read is what was written."""
    path = tmp_path / "c.npz"
    values = [np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(4, np.float32)]
    progress = Progress(1, 0, ({"epoch": 1},), tuple(values))
    write_checkpoint(path, progress, values)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for number in range(1000):
        damaged = bytearray(whole)
        if number % 4 == 0:
            del damaged[rng.integers(len(whole)) :]
        else:
            damaged[rng.integers(len(whole))] ^= rng.integers(1, 256)
        path.write_bytes(damaged)
        variables = [keras.Variable(np.zeros(value.shape, np.float32)) for value in values]
        try:
            read = read_checkpoint(path, variables)
        except EdgecrnnError as error:
            said = str(error)
            assert said.startswith(f"{path}: expected a checkpoint") and "\n" not in said
            # What is refused has changed nothing.
            assert not any(np.asarray(variable).any() for variable in variables)
            refused += 1
        else:
            assert (read.epoch, read.history) == (progress.epoch, progress.history)
            for one, other in zip((*values, *values), (*variables, *read.best), strict=True):
                np.testing.assert_array_equal(np.asarray(other), one)
    assert refused > 500


@pytest.mark.parametrize(
    "said", ["[]", "{}", "1", '{"epoch": 1}', '{"epoch": 1, "best_epoch": 0, "best": "1"}']
)
def test_progress_of_another_form_is_refused(said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", progress=np.frombuffer(said.encode(), np.uint8))
    with pytest.raises(EdgecrnnError, match="expected a checkpoint of this network, got another"):
        read_checkpoint(tmp_path / "c.npz", [])
