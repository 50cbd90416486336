"""`edgecrnn explain`, from a real (untrained) run."""

from __future__ import annotations

from pathlib import Path

import cv2
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
