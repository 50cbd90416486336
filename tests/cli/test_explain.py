"""`edgecrnn explain`, from a real (untrained) run."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.journey import TRAIN, write_clips

from edgecrnn import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    data = write_clips(folder / "clips")
    command = ["train", str(data), "--out", str(folder / "run"), *TRAIN, "--no-baseline"]
    assert cli.main(command) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def clip(run: Path) -> Path:
    return min((run.parent / "clips").rglob("*.avi"))


def test_a_clip_is_explained(
    run: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "why.png"
    capsys.readouterr()
    assert cli.main(["explain", str(run), str(clip), "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    picture = cv2.imread(str(out))
    assert picture is not None and picture.shape[1] == 1200
    assert cli.main(["explain", str(run), str(clip), "--out", str(out)]) == 2
    assert "--force" in capsys.readouterr().err


def test_a_clip_is_filmed(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clips(tmp_path / "short", per_class=1, frames=10) / "flickers" / "0.avi"
    out = tmp_path / "film" / "why.mp4"
    capsys.readouterr()
    assert cli.main(["explain", str(run), str(clip), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("decided ") and f"wrote {out}" in said
    film = cv2.VideoCapture(str(out))
    shown = []
    while (read := film.read())[0]:
        shown.append(read[1])
    # A picture for each frame, slowed down to last four seconds, and time goes on in them.
    assert len(shown) == 10
    assert film.get(cv2.CAP_PROP_FPS) == 2.5
    assert np.abs(shown[0].astype(int) - shown[-1]).max() > 30
    assert [path.name for path in out.parent.iterdir()] == ["why.mp4"]


def test_the_heat_is_checked_on_the_test_clips(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    command = ["explain", str(run), "--check", "--clips", "2", "--draws", "2", "--seed", "3"]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{run} on {run.parent / 'clips'}: ")
    assert "layer-cam, 2 clips, 2 random masks each, seed 3" in said
    assert "lost, hottest 20 % hidden" in said and "lost, random 20 % hidden" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--clips", "0"], "--clips: expected 1 or more, got 0"),
        (["--draws", "0"], "draws: expected 1 to 1000, got 0"),
        (["--out", "why.png"], "--check: expected only a run"),
        (["--data", "nowhere"], "nowhere: expected the data that the run was trained on"),
    ],
)
def test_what_cannot_be_checked(
    words: list[str], said: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert cli.main(["explain", str(run), "--check", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected a clip or a picture to explain, or --check, got neither"),
        (["nowhere.avi"], "nowhere.avi"),
        (["CLIP", "--label", "elephant"], "--label: expected one of"),
        (["CLIP", "--out", "why.gif"], "expected a name that ends in .png or .mp4, got 'why.gif'"),
        (["CLIP", "--draws", "3"], "--draws: expected --check with it"),
    ],
)
def test_what_cannot_be_explained(
    words: list[str],
    said: str,
    run: Path,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    words = [str(clip) if word == "CLIP" else word for word in words]
    assert cli.main(["explain", str(run), *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
