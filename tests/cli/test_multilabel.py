"""Several labels a picture, the whole way: train, evaluate, convert, run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.journey import write_clips

from edgecrnn import cli
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.train.explain.kept import KEPT
from edgecrnn.train.run_folder import read_record

FLAGS = (
    *("--size", "16x16", "--width", "0.5", "--units", "8", "--epochs", "30", "--batch", "16"),
    *("--crop", "0", "--no-baseline"),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that may have a red half, a blue half, both or neither."""
    root = tmp_path_factory.mktemp("halves")
    random = np.random.default_rng(0)
    for split, count in (("train", 64), ("val", 16), ("test", 16)):
        (root / split).mkdir()
        lines = ["file,red,blue"]
        for i in range(count):
            red, blue = i % 2, i // 2 % 2
            picture = random.integers(0, 60, (24, 24, 3), np.uint8)
            picture[:12, :, 2] += np.uint8(150 * red)
            picture[12:, :, 0] += np.uint8(150 * blue)
            cv2.imwrite(str(root / split / f"{i}.png"), picture)
            lines.append(f"{i}.png,{red},{blue}")
        (root / split / "labels.csv").write_text("\n".join(lines))
    return root


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("several") / "run"
    assert cli.main(["train", str(data), "--out", str(out), *FLAGS]) == 0
    return out


def test_it_learns_both_at_once(run: Path, data: Path, tmp_path: Path) -> None:
    record = read_record(run)
    assert record.task == record.network.task == "multilabel"
    assert len(record.decision.thresholds) == 2
    said = tmp_path / "said.json"
    assert cli.main(["evaluate", str(run), str(data), "--json", str(said)]) == 0
    assert cli.main(["evaluate", str(run), str(data), "--orders", "2"]) == 2
    result = json.loads(said.read_text())
    assert result["multilabel"]["mean_average_precision"] > 0.9
    page = (run / "report.html").read_text()
    assert "mean average precision" in page
    # Files by label, not by set of labels: half of 64 and of 16 are red.
    assert re.search(r"<th>red</th>\s*<td>32</td>\s*<td>8</td>\s*<td>8</td>", page)
    for each in json.loads((run / KEPT).read_text())["pictures"]:
        assert (each["decided"] == each["truth"]) == each["right"]


def test_it_runs_converted(
    run: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "several.edgecrnn"
    assert cli.main(["convert", str(run), "--device", "linux-x86_64", "--out", str(bundle)]) == 0
    manifest = open_bundle(bundle).manifest
    assert manifest.task == "multilabel" and len(manifest.decision.thresholds) == 2
    capsys.readouterr()
    assert cli.main(["run", str(bundle), "--source", str(data / "test"), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["label"] for line in lines} >= {"red+blue", "none"}
    assert all(sum(line["scores"].values()) <= 2 for line in lines)
    assert cli.main(["evaluate", str(bundle), str(data)]) == 0
    assert "Mean average precision" in capsys.readouterr().out


def test_the_heat_is_checked(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.main(["explain", str(run), "--check", "--clips", "3", "--draws", "2"]) == 0
    said = capsys.readouterr().out
    assert ": the test split" in said and "3 of 16 pictures, 2 random masks each" in said
    assert "lost, hottest 20 % hidden" in said


def test_every_picture_is_judged_once_by_folds(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "folds"
    flags = (*FLAGS, "--epochs", "1", "--folds", "3")
    capsys.readouterr()
    assert cli.main(["crossval", str(data), "--out", str(out), *flags]) == 0
    said = capsys.readouterr().out
    # A class is a whole set of labels here.
    assert all(f"\n{name} " in said for name in ("none", "red", "blue", "red+blue"))
    told = json.loads((out / "folds.json").read_text())
    judged = [name for fold in told["folds"] for name in fold["clips"]]
    assert len(judged) == len(set(judged)) == 64 + 16
    assert not any(name.startswith("test/") for name in judged)
    for number in (1, 2, 3):
        assert read_record(out / f"fold-{number}").task == "multilabel"


def test_a_task_that_the_data_is_not_for(
    data: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert cli.main(["train", str(data), "--out", str(out), "--task", "classify", *FLAGS]) == 2
    said = capsys.readouterr().err
    assert "task: expected multilabel, which is what the data's labels are for" in said
    clips = write_clips(tmp_path / "clips", per_class=6)
    assert cli.main(["train", str(clips), "--out", str(out), "--task", "multilabel", *FLAGS]) == 2
    assert "or give a file labels.csv" in capsys.readouterr().err
    assert cli.main(["train", str(clips), "--out", str(out), "--task", "multilable", *FLAGS]) == 2
    assert "did you mean 'multilabel'?" in capsys.readouterr().err
    assert not out.exists()
