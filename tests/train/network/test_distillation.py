"""Learning from a larger run: the teacher watches the same streams and is never changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import tensorflow as tf
from tests.journey import write_clips

from edgecrnn import cli
from edgecrnn.train.data.store import one_hot
from edgecrnn.train.network.distillation import DistilledTrainee
from edgecrnn.train.network.network import build_network
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.network.trainee import NetworkTrainee
from edgecrnn.train.run_folder import read_record

SMALL = NetworkSettings(width=0.25, units=4, dropout=0.0)
LARGE = NetworkSettings(width=0.5, units=8, dropout=0.0)
FLAGS = ("--size", "16x16", "--epochs", "1", "--batch", "4", "--window", "2", "--no-baseline",
         "--no-explanations")  # fmt: skip


def trainee(settings: NetworkSettings, seed: int) -> NetworkTrainee:
    return NetworkTrainee(build_network(settings, (16, 16, 3), 3, seed))


def window(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    frames = tf.constant(rng.uniform(0, 255, (2, 4, 16, 16, 3)), tf.float32)
    return frames, one_hot(rng.integers(0, 3, (2, 4)), 3)


def test_the_loss_is_the_one_of_the_paper() -> None:
    student, teacher = trainee(SMALL, 0), trainee(LARGE, 1)
    both = DistilledTrainee(student, teacher, share=0.7, temperature=3.0)
    frames, targets = window()
    losses, logits, _ = both.losses(frames, targets, both.zero_states(2), 0.0)
    told, _ = teacher(frames, teacher.zero_states(2), False)
    plain = -(targets * tf.nn.log_softmax(logits)).numpy().sum(-1)
    soft = -(tf.nn.softmax(told / 3) * tf.nn.log_softmax(logits / 3)).numpy().sum(-1)
    assert np.allclose(losses, 0.3 * plain + 0.7 * 9 * soft, atol=1e-5)


def test_the_teacher_is_carried_along_the_stream_and_never_learns() -> None:
    both = DistilledTrainee(trainee(SMALL, 0), trainee(LARGE, 1), 0.5, 2.0)
    own = {id(weight) for weight in both.teacher.weights}
    assert not own & {id(weight) for weight in (*both.weights, *both.trainable_weights)}
    frames, targets = window()
    _, _, after = both.losses(frames, targets, both.zero_states(2), 0.0)
    _, seen = both.teacher(frames, both.teacher.zero_states(2), False)
    for name, value in seen.items():
        assert np.allclose(after[f"teacher_{name}"], value)
    # Judged, the student stands alone.
    logits, kept = both(frames, after, False)
    alone, _ = both.student(frames, {n: after[n] for n in both.student.zero_states(2)}, False)
    assert np.array_equal(logits, alone)
    assert np.array_equal(kept["teacher_h0"], after["teacher_h0"])


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Data, and a run trained on it."""
    folder = tmp_path_factory.mktemp("taught")
    data = write_clips(folder / "data", per_class=6, frames=8)
    teacher = folder / "teacher"
    flags = [*FLAGS, "--units", "8", "--width", "0.25"]
    assert cli.main(["train", str(data), "--out", str(teacher), *flags]) == 0
    return data, teacher


def test_the_command_learns_from_a_run(taught: tuple[Path, Path], tmp_path: Path) -> None:
    data, teacher = taught
    out = tmp_path / "student"
    flags = [*FLAGS, "--units", "4", "--width", "0.25", "--mixup", "0.2"]
    command = ["train", str(data), "--out", str(out), "--teacher", str(teacher), *flags]
    assert cli.main(command) == 0
    record = read_record(out)
    assert record.train.teacher == str(teacher) and record.network.units == 4
    assert record.train.warmup == 2  # half of the four frames that validation has in a row


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--teacher", "nowhere"], "nowhere: expected a run with run.json, got no such folder"),
        (["--size", "16x24"], "teacher: expected a run with the same preprocessing"),
        (["--frame-rate", "5"], "teacher: expected a run with the same frame rate (5"),
    ],
)
def test_a_teacher_that_sees_something_else_is_refused(
    flags: list[str],
    said: str,
    taught: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, teacher = taught
    out = tmp_path / "student"
    command = ["train", str(data), "--out", str(out), "--teacher", str(teacher), *FLAGS, *flags]
    assert cli.main(command) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
