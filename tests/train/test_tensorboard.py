"""What TensorBoard reads of a training, read by TensorBoard itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorboard")
pytest.importorskip("tensorflow")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.journey import write_clips

from edgecrnn import cli
from edgecrnn.train.run_folder import read_record

FLAGS = [
    "--size",
    "16x16",
    "--units",
    "4",
    "--width",
    "0.25",
    "--epochs",
    "2",
    "--batch",
    "4",
    "--window",
    "2",
]


def test_every_part_has_its_curves(tmp_path: Path) -> None:
    data = write_clips(tmp_path / "data", per_class=6, frames=8)
    out, log = tmp_path / "run", tmp_path / "log"
    flags = [*FLAGS, "--tensorboard", str(log)]
    assert cli.main(["train", str(data), "--out", str(out), *flags]) == 0
    record = read_record(out)
    for part, history in (("network", record.history), ("baseline", record.baseline_history)):
        read = EventAccumulator(str(log / part)).Reload()
        events = [tensor.tensor_proto.float_val[0] for tensor in read.Tensors("val_accuracy")]
        assert events == pytest.approx([line["val_accuracy"] for line in history])
        assert [tensor.step for tensor in read.Tensors("loss")] == [1, 2]


def test_without_the_package_there_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_clips(tmp_path / "data", per_class=6, frames=8)
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    out = tmp_path / "run"
    flags = [*FLAGS, "--tensorboard", str(tmp_path / "log")]
    assert cli.main(["train", str(data), "--out", str(out), *flags]) == 2
    assert "pip install 'edgecrnn[tensorboard]'" in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_told_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_clips(tmp_path / "data", per_class=6, frames=8)
    (tmp_path / "file").write_text("")
    out = tmp_path / "run"
    flags = [*FLAGS, "--tensorboard", str(tmp_path / "file")]
    assert cli.main(["train", str(data), "--out", str(out), *flags]) == 2
    assert "expected a folder at" in capsys.readouterr().err
    assert not out.exists()
