"""`edgecrnn data check`, as a person runs it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn import cli


def scene(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 200, (9, 12, 3)).astype(np.uint8)
    return cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes with 12 pictures in train, 15 in val and in test, all different."""
    root, seed = tmp_path / "data", 0
    for split, count in (("train", 12), ("val", 15), ("test", 15)):
        for name in ("cat", "dog"):
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                seed += 1
                cv2.imwrite(str(root / split / name / f"{i}.jpg"), scene(seed))
    return root


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.main(["data", "check", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_nothing_found(data: Path, capsys) -> None:
    code, out, err = check(capsys, data)
    assert (code, err) == (0, "")
    assert f"{data}: 84 pictures of 2 classes, read in" in out
    assert "cat       12   15    15" in out
    assert out.endswith("Nothing was found that speaks against training on it.\n")


def test_the_serious_comes_first_and_makes_the_exit_code(data: Path, capsys) -> None:
    shutil.copy(data / "train/cat/1.jpg", data / "test/cat/x.jpg")
    shutil.copy(data / "train/cat/1.jpg", data / "train/cat/y.jpg")
    (data / "train/dog/2.jpg").write_bytes(b"")
    code, out, _ = check(capsys, data)
    assert code == 1
    places = [
        out.index(word) for word in ("serious  1 file of val", "warning  1 file", "note     ")
    ]
    assert places == sorted(places)
    assert "test/cat/x.jpg = train/cat/1.jpg" in out
    assert "train/dog/2.jpg (empty file)" in out
    assert out.endswith("1 serious, 1 warning, 1 note\n")
    assert max(map(len, out.splitlines())) <= 130


def test_warnings_alone_are_not_serious(data: Path, capsys) -> None:
    (data / "train/dog/2.jpg").write_bytes(b"")
    code, out, _ = check(capsys, data)
    assert code == 0 and out.endswith("0 serious, 1 warning, 0 notes: nothing serious\n")


def test_what_cannot_be_read(tmp_path: Path, capsys) -> None:
    code, out, err = check(capsys, tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert err == (
        f"edgecrnn: {tmp_path / 'nowhere'}: expected [split/]class/file with pictures (jpg, png, "
        "bmp, webp) or clips (mp4, avi, mkv, mov), but there is no such folder; check the path\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: ACTION"),
        (["look"], "invalid choice: 'look'"),
        (["check"], "required: DIR"),
        (["check", "{data}", "--shown", "-1"], "--shown: expected 0 to 200, got -1"),
        (["check", "{data}", "--max-bad", "2"], "--max-bad: expected 0 to 1, got 2.0"),
        (["check", "{data}", "--window", "1"], "--window: expected at least 2 frames, got 1"),
        (["check", "{data}", "--out", "{data}"], "expected a path that does not exist yet"),
        (["check", "{data}", "--json", "{data}", "--force"], "expected a file to replace"),
    ],
)
def test_wrong_arguments(arguments: list[str], said: str, data: Path, capsys) -> None:
    assert cli.main(["data", *(a.format(data=data) for a in arguments)]) == 2
    assert said in capsys.readouterr().err


def test_the_window_is_that_of_train(tmp_path: Path, capsys) -> None:
    for name in ("away", "toward"):
        for i in range(3):
            path = tmp_path / "clips" / name / f"{i}.avi"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
            for frame in range(12):
                writer.write(scene(100 * i + frame + 10_000 * (name == "away")))
            writer.release()
    code, out, _ = check(capsys, tmp_path / "clips")
    assert code == 1 and "6 clips shorter than a window of 16 frames at 10 frames a second" in out
    assert "use --window 12" in out
    assert check(capsys, tmp_path / "clips", "--window", 12)[0] == 0


def test_the_json_holds_all(data: Path, tmp_path: Path, capsys) -> None:
    for i in range(8):
        shutil.copy(data / f"train/cat/{i}.jpg", data / f"test/cat/copy{i}.jpg")
    file = tmp_path / "found.json"
    code, out, _ = check(capsys, data, "--json", file)
    assert code == 1 and f"json  {file}" in out and "and 5 more" in out
    found = json.loads(file.read_text())
    assert found["format"] == 1 and found["serious"] is True and found["classes"] == ["cat", "dog"]
    assert found["counts"]["test"] == {"cat": 23, "dog": 15}
    (finding,) = found["findings"]
    assert finding["kind"] == "shared" and len(finding["entries"]) == 8
    assert len(found["files"]) == 92
    assert found["files"][0] == {
        "name": "train/cat/0.jpg", "split": "train", "class": "cat", "error": None,
        "width": 160, "height": 120, "frames": 1, "frames_resampled": 1, "frame_rate": None,
        "blank": 0.0,
    }  # fmt: skip
    assert check(capsys, data, "--json", file)[0] == 2
    assert check(capsys, data, "--json", file, "--force")[0] == 1


def test_the_page_is_written(data: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("jinja2")
    page = tmp_path / "check.html"
    code, out, _ = check(capsys, data, "--out", page, "--shown", 3)
    assert code == 0 and f"page  {page}" in out
    html = page.read_text()
    assert html.count("<img") == 2 * 3 * 3 and "http" not in html
    assert check(capsys, data, "--out", page)[0] == 2


def test_without_jinja2_the_check_runs_and_the_page_says_what_is_missing(
    data: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    for name in [n for n in sys.modules if n.startswith("edgecrnn.train.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert check(capsys, data)[0] == 0
    code, _, err = check(capsys, data, "--out", tmp_path / "check.html")
    assert code == 2 and "needs Jinja2" in err and 'pip install "edgecrnn[train]"' in err


def test_train_refuses_a_test_file_of_train(data: Path, tmp_path: Path, capsys) -> None:
    shutil.copy(data / "train/cat/1.jpg", data / "test/cat/x.jpg")
    run = tmp_path / "run"
    assert cli.main(["train", str(data), "--out", str(run)]) == 2
    said = capsys.readouterr().err
    assert (
        "expected no file of train in val or test, got 1: test/cat/x.jpg = train/cat/1.jpg" in said
    )
    assert not run.exists()
    # Allowed, it goes on to the next fault: here files that cannot be decoded.
    for i in range(9):
        (data / f"train/dog/{i}.jpg").write_bytes(f"{i}".encode())
    command = ["train", str(data), "--out", str(run), "--allow-shared", "--cache", str(tmp_path)]
    assert cli.main(command) == 2
    assert "expected at most 5% bad files" in capsys.readouterr().err
