"""`edgecrnn compare`, from real runs."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from tests.journey import TRAIN, write_clips, write_pictures

from edgecrnn import cli


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two runs of the same data, and one of other data."""
    folder = tmp_path_factory.mktemp("compared")
    clips, pictures = write_clips(folder / "clips"), write_pictures(folder / "stills")
    made = {}
    for name, data, more in (
        ("narrow", clips, []),
        ("wide", clips, ["--width", "0.5", "--seed", "1"]),
        ("pictures", pictures, []),
    ):
        made[name] = folder / name
        command = ["train", str(data), "--out", str(made[name]), *TRAIN, "--no-baseline", *more]
        assert cli.main(command) == 0
    return made


def test_side_by_side(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "compare.html"
    capsys.readouterr()
    command = ["compare", str(runs["narrow"]), str(runs["wide"]), "--out", str(page)]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    lines = {line.split("  ")[0].strip(): line for line in said.splitlines()}
    assert lines["network.width"].split()[-2:] == ["0.25", "0.5"]
    assert lines["train.seed"].split()[-2:] == ["0", "1"]
    assert ("points above" in said or "equally right" in said) and "in common" in said
    text = page.read_text()
    assert "Settings that differ" in text and "network.width" in text
    assert text.count("<svg") == 4 and "http" not in text.replace("http://www.w3.org", "")
    assert cli.main(command) == 2
    assert "--force" in capsys.readouterr().err


def test_a_board_that_nobody_measured(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    both = [str(runs["narrow"]), str(runs["wide"])]
    assert cli.main(["compare", *both, "--device", "linux-x86_64"]) == 0
    assert " ms" in capsys.readouterr().out
    assert cli.main(["compare", *both, "--device", "raspberry-pi-5"]) == 2
    assert "expected a board whose speed has been measured" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["narrow"], "runs: expected at least two to compare, got 1"),
        (["narrow", "narrow"], "got the same one twice"),
        (["narrow", "pictures"], "expected the same labels as in"),
        (["narrow", "nowhere"], "nowhere: expected a run with run.json, got no such folder"),
    ],
)
def test_runs_that_cannot_be_compared(
    names: list[str], said: str, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(runs.get(name, Path("nowhere"))) for name in names]
    capsys.readouterr()
    assert cli.main(["compare", *paths]) == 2
    assert said in capsys.readouterr().err
