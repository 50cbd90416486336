"""`edgecrnn crossval`, from start to end on small clips."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.journey import TRAIN, write_clips

from edgecrnn import cli
from edgecrnn.train.run_folder import read_record

# There is no report of all folds that could explain.
SETTINGS = (*TRAIN[:-1], "--epochs", "1", "--no-baseline", "--window", "4", "--folds", "3")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crossval")
    write_clips(folder / "data", per_class=9, frames=8)
    command = ["crossval", str(folder / "data"), "--out", str(folder / "folds"), *SETTINGS]
    assert cli.main(command) == 0
    return folder


def test_every_clip_of_train_and_val_is_judged_once(done: Path) -> None:
    told = json.loads((done / "folds" / "folds.json").read_text())
    judged = [name for fold in told["folds"] for name in fold["clips"]]
    assert len(judged) == len(set(judged)) == len(told["groups"]) > 9
    assert len(told["folds"]) == 3 and 0 <= told["accuracy"] <= 1
    for number in (1, 2, 3):
        assert (done / "folds" / f"fold-{number}" / "run.json").is_file()


def test_what_is_finished_is_not_trained_again(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (done / "folds" / "fold-1" / "model.keras").stat().st_mtime_ns
    capsys.readouterr()
    command = ["crossval", str(done / "data"), "--out", str(done / "folds"), *SETTINGS]
    assert cli.main(command) == 0
    said = capsys.readouterr()
    assert said.err.count("trained before") == 3
    assert "mean of the folds" in said.out and "each judged once by a run" in said.out
    assert "flickers" in said.out and "still" in said.out
    assert (done / "folds" / "fold-1" / "model.keras").stat().st_mtime_ns == before


def test_a_fold_is_judged_on_what_no_fold_has_seen(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fold = str(done / "folds" / "fold-1")
    capsys.readouterr()
    assert cli.main(["evaluate", fold, str(done / "data")]) == 0
    assert "the test split that training made (seed 0)" in capsys.readouterr().out
    assert cli.main(["evaluate", fold, str(done / "data"), "--split", "train"]) == 0
    assert "Note: training has used this split" in capsys.readouterr().out
    words = ["--device", "linux-x86_64", "--out", str(tmp_path / "a.edgecrnn")]
    assert cli.main(["convert", fold, *words]) == 2
    assert "expected a run of edgecrnn train, got a fold" in capsys.readouterr().err


def test_an_interrupted_fold_is_trained_to_its_end(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(self: object, part: str, line: object) -> None:
        raise KeyboardInterrupt

    command = ["crossval", str(done / "data"), "--out", str(tmp_path / "folds"), *SETTINGS]
    monkeypatch.setattr("edgecrnn.cli.progress.TrainingProgress.epoch", stop)
    for epochs in (1, 2):
        assert cli.main([*command, "--epochs", "3"]) == 130
        record = read_record(tmp_path / "folds" / "fold-1")
        assert len(record.history) == epochs and record.interrupted
    assert "trained before" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--folds", "2"], "--folds: expected 3 to 50, got 2"),
        (["--folds", "40"], "got 40 folds of"),
        (["--task", "denoise"], "--task: expected classify or multilabel for folds, got denoise"),
        (["--group", "("], "--group: expected a regular expression"),
        (["--group", "camera"], "expected to find 'camera' in the name of every file"),
        (["--epochs", "3"], "expected folds of the same data with the same settings, got others"),
    ],
)
def test_folds_that_cannot_be(
    done: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    command = ["crossval", str(done / "data"), "--out", str(done / "folds"), *SETTINGS, *words]
    assert cli.main(command) == 2
    assert said in capsys.readouterr().err


def test_train_offers_folds_where_validation_lacks_a_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    write_clips(data / "train", per_class=6, frames=8)
    (data / "val" / "flickers").mkdir(parents=True)
    for name in ("4.avi", "5.avi"):
        (data / "train" / "flickers" / name).rename(data / "val" / "flickers" / name)
    flags = (*TRAIN, "--epochs", "1", "--no-baseline", "--window", "4", "--batch", "2")
    assert cli.main(["train", str(data), "--out", str(tmp_path / "run"), *flags]) == 0
    offers = [line for line in capsys.readouterr().err.splitlines() if "crossval" in line]
    assert len(offers) == 1 and offers[0].startswith("note: val has no file of 'still': ")
    assert offers[0].endswith(f"edgecrnn crossval {data} --out FOLDS")


def test_several_machines_would_write_the_same_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}}')
    assert cli.main(["crossval", str(tmp_path), "--out", str(tmp_path / "folds")]) == 2
    assert "TF_CONFIG: expected none for folds" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert cli.main(["crossval", str(done / "data"), "--out", str(tmp_path), *SETTINGS]) == 2
    assert "got one with other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_altered_copies_stay_with_what_they_were_made_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    random = np.random.default_rng(0)
    for number in range(12):
        blurred = cv2.GaussianBlur(random.integers(0, 256, (64, 64, 3), np.uint8), (0, 0), 4)
        picture = cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX)
        for quality in (95, 40):
            split = "train" if number < 8 else "val" if number < 10 else "test"
            path = data / split / f"class{number % 2}" / f"{number}q{quality}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    # More folds than there are groups: told before anything is trained.
    command = ["crossval", str(data), "--out", str(tmp_path / "folds"), "--folds", "40"]
    assert cli.main(command) == 2
    assert "got 40 folds of 20 groups" in capsys.readouterr().err
    assert cli.main([*command, "--keep-alike"]) == 2
    said = capsys.readouterr().err
    assert "10 pairs show nearly the same: 20 groups became 10" in said
    assert "got 40 folds of 10 groups" in said
