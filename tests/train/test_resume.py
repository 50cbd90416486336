"""`edgecrnn train --resume`: as if nobody had interrupted it, and only with the same data."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.journey import write_clips

from edgecrnn import cli
from edgecrnn.train.run_folder import load_model, read_record

pytestmark = pytest.mark.slow

EPOCHS = 30  # for int8; the others are one
SETTINGS = (
    *("--size", "16x16", "--units", "4", "--width", "0.25", "--batch", "4", "--window", "2"),
    *(
        "--epochs",
        "1",
        "--dropout",
        "0.2",
        "--no-baseline",
        "--no-explanations",
        "--no-motion",
        "--warmup",
        "1",
    ),
    *("--quantization-aware", "--quantization-epochs", str(EPOCHS)),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips") / "data", per_class=6, frames=8)


def interrupt_after(process: subprocess.Popen[str], file: Path) -> None:
    """Ctrl-C as soon as the file is there."""
    deadline = time.monotonic() + 120
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same training twice: one run through, one interrupted while it trained for int8."""
    folder = tmp_path_factory.mktemp("runs")
    whole, cut = folder / "whole", folder / "cut"
    command = [sys.executable, "-m", "edgecrnn", "train", str(data), "--out", str(cut), *SETTINGS]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        interrupting = threading.Thread(
            target=interrupt_after, args=(process, cut / "quantized-checkpoint.npz")
        )
        interrupting.start()
        assert cli.main(["train", str(data), "--out", str(whole), *SETTINGS]) == 0
        interrupting.join()
        _, errors = process.communicate(timeout=240)
    assert process.returncode == 130 and "--resume" in errors, errors
    return whole, cut


def test_an_interruption_while_training_for_int8_costs_nothing_but_time(
    data: Path, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    whole, cut = runs
    assert 1 <= len(read_record(cut).quantized_history) < EPOCHS
    # Where the data lies says nothing: the same files elsewhere are the same data.
    moved = shutil.copytree(data, tmp_path / "moved")
    resumed = shutil.copytree(cut, tmp_path / "resumed")
    assert cli.main(["train", str(moved), "--out", str(resumed), "--resume"]) == 0
    expected, got = (load_model(run).weights for run in (whole, resumed))
    assert len(got) == len(expected) > 0
    for one, other in zip(expected, got, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6, err_msg=one.path)
    histories = [read_record(run).quantized_history for run in (whole, resumed)]
    assert [[line["epoch"] for line in lines] for lines in histories] == [
        list(range(1, EPOCHS + 1))
    ] * 2
    np.testing.assert_allclose(*([line["loss"] for line in lines] for lines in histories))


def test_an_interrupted_first_epoch_of_a_later_part_leaves_the_network(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    command = ["train", str(data), "--out", str(run)]
    words = [*SETTINGS, "--quantization-epochs", "1", "--baseline"]
    for part, more in (("int8", words), ("baseline", ["--resume"])):

        def stop(self: object, at: str, *rest: object, part: str = part) -> None:
            if at == part:
                raise KeyboardInterrupt

        monkeypatch.setattr("edgecrnn.cli.progress.TrainingProgress.step", stop)
        assert cli.main([*command, *more]) == 130
        assert f"go on with: edgecrnn train {data} --out {run} --resume" in capsys.readouterr().err
        record = read_record(run)
        assert record.interrupted and len(record.history) == 1
        assert len(record.quantized_history) == (part == "baseline")
        assert load_model(run).weights and not (run / "baseline.keras").exists()


@pytest.mark.parametrize("change", ["content", "name", "more", "fewer"])
def test_other_data_is_refused(
    change: str,
    data: Path,
    runs: tuple[Path, Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    cut = runs[1]
    changed = shutil.copytree(data, tmp_path / "data")
    clip = sorted((changed / "still").iterdir())[0]
    if change == "content":
        picture = np.full((24, 32, 3), 99, np.uint8)
        writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24))
        for _ in range(20):
            writer.write(picture)
        writer.release()
    elif change == "name":
        clip.rename(clip.with_name("renamed.avi"))
    elif change == "more":
        shutil.copy(clip, clip.with_name("again.avi"))
    else:
        clip.unlink()
    before = {path: path.read_bytes() for path in cut.iterdir()}
    assert cli.main(["train", str(changed), "--out", str(cut), "--resume"]) == 2
    said = capfd.readouterr().err
    assert "expected the data that the run was started with, got other files" in said
    assert said.splitlines()[-1].startswith(f"edgecrnn: {cut}: ")
    assert {path: path.read_bytes() for path in cut.iterdir()} == before
