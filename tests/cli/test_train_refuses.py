"""What `train` refuses leaves no half of a run behind."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from tests.journey import TRAIN, write_clips, write_pictures

from edgecrnn import cli


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("data") / "clips", per_class=4)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--flip", "horizontal", "--swaps", "still=flikers"), "(did you mean 'flickers'?)"),
        (("--swaps", "still=flickers"), "expected --flip horizontal beside it"),
        (("--warmup", "4000"), "lower --warmup or give longer clips"),
        (
            ("--reset-every", "1", "--window", "8", "--warmup", "8"),
            "lower --warmup or give longer clips",
        ),
        (("--teacher", "nowhere"), "nowhere: expected a run with run.json"),
        (("--epochs", "two"), "--epochs"),
    ],
)
def test_a_choice_that_cannot_be(
    flags: tuple[str, ...],
    said: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    words = ["train", str(data), "--out", str(out), "--cache", str(tmp_path / "cache")]
    assert cli.main([*words, *TRAIN, *flags]) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


def test_validation_of_broken_files_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path / "data" / "train", per_class=20)
    for label in ("bright", "dark"):
        (tmp_path / "data" / "val" / label).mkdir(parents=True)
        (tmp_path / "data" / "val" / label / "0.png").write_bytes(b"no picture")
    words = ["train", str(tmp_path / "data"), "--out", str(tmp_path / "run"), *TRAIN]
    assert cli.main(words) == 2
    assert "expected usable files in val" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_the_folder_that_a_person_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is replaced by a rename; "." would stay with what was there before."""
    (tmp_path / "plan.json").write_text('{"options": {}}')
    outs: list[Path] = []

    def execute(args: argparse.Namespace) -> int:
        outs.append(args.out)
        return 0

    monkeypatch.setattr("edgecrnn.cli.train_pictures.execute_pictures", execute)
    monkeypatch.chdir(tmp_path)
    for out in (".", "../other"):
        assert cli.main(["train", "DATA", "--out", out, "--resume"]) in (0, 2)
    assert outs == [tmp_path]
