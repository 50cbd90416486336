"""A task on pictures from a folder to a folder: train, evaluate, convert, run, as a person does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.journey import edgecrnn as run

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.manifest import ANSWER_FORMAT
from edgecrnn.train.demo.scenes import SceneSettings, export_scenes

pytestmark = pytest.mark.slow

TRAIN = ("--epochs", "2", "--size", "32x32", "--width", "0.5", "--units", "8", "--batch", "8")


def edgecrnn(*words: str | Path, code: int = 0) -> tuple[str, str]:
    done = run(*words)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scenes, a run of denoise and its bundle."""
    folder = tmp_path_factory.mktemp("pictures")
    export_scenes(folder / "data", SceneSettings(train=48, val=16, test=16, size=32))
    printed, _ = edgecrnn(
        "train", folder / "data", "--task", "denoise", "--set", "noise=20", "--out",
        folder / "run", *TRAIN, "--seed", "3",
    )  # fmt: skip
    assert "on the test split:" in printed and "psnr" in printed
    printed, _ = edgecrnn(
        "convert", folder / "run", "--device", "linux-x86_64", "--out", folder / "a.edgecrnn",
        "--calibration-frames", "16", "--check", "16",
    )  # fmt: skip
    assert "preferred" in printed and "over 16 held-out pictures" in printed
    return folder


def test_a_seed_is_that_of_the_training(made: Path) -> None:
    assert json.loads((made / "run" / "run.json").read_bytes())["train"]["seed"] == 3


def test_the_report_shows_what_was_made(made: Path) -> None:
    page = (made / "run" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 36
    assert "denoise" in page and "psnr" in page and "http" not in page.replace("http-equiv", "")


def test_the_bundle_says_what_it_answers_with(made: Path) -> None:
    manifest = open_bundle(made / "a.edgecrnn").manifest
    assert (manifest.format, manifest.task, manifest.answer) == (
        ANSWER_FORMAT,
        "denoise",
        "picture",
    )
    assert manifest.labels == () and manifest.frame_rate is None
    certificate = json.loads(open_bundle(made / "a.edgecrnn").read("certificate.json"))
    assert certificate["options"] == {"noise": 20} and certificate["keeps"] == 0.97
    for variant in certificate["variants"]:
        assert variant["refused"] or min(variant["kept"].values()) >= 0.97


def test_run_writes_the_pictures_that_it_makes(made: Path, tmp_path: Path) -> None:
    source, out = made / "data/test/pictures", tmp_path / "out"
    printed, said = edgecrnn(
        "run", made / "a.edgecrnn", "--source", source, "--sink", f"pictures:{out}"
    )
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line["frame"] for line in lines] == list(range(16)) and "picture 16" in said
    files = sorted(out.glob("*.png"))
    assert len(files) == 16
    pixels = cv2.imread(str(files[3]))
    assert pixels is not None and pixels.shape == (32, 32, 3) and pixels.std() > 5
    # It shows what the frame shows.
    frame = cv2.imread(str(sorted(source.glob("*.png"))[3]))
    assert frame is not None and np.abs(frame.astype(int) - pixels).mean() < 40


def test_evaluate_judges_run_and_bundle(made: Path, tmp_path: Path) -> None:
    values = {}
    for name in ("run", "a.edgecrnn"):
        out = tmp_path / f"{name}.json"
        printed, _ = edgecrnn("evaluate", made / name, made / "data", "--json", out)
        assert "the test split" in printed
        facts = json.loads(out.read_text())
        values[name] = facts["measures"]["psnr"]
        assert values[name]["low"] <= values[name]["value"] <= values[name]["high"]
    assert values["a.edgecrnn"]["value"] == pytest.approx(values["run"]["value"], rel=0.03)


def test_evaluate_tells_what_it_skips(made: Path, tmp_path: Path) -> None:
    data = shutil.copytree(made / "data", tmp_path / "data")
    (data / "test" / "pictures" / "broken.png").write_bytes(b"no picture")
    printed, _ = edgecrnn("evaluate", made / "run", data)
    assert "Skipped 1 of the folder's files, for example " in printed and "broken.png" in printed


def test_a_picture_has_no_orders(made: Path) -> None:
    _, error = edgecrnn("evaluate", made / "run", made / "data", "--orders", "3", code=2)
    assert "--orders: expected a model of clips" in error


def test_bench_times_it(made: Path) -> None:
    printed, _ = edgecrnn("bench", made / "a.edgecrnn", "--seconds", "1")
    assert "invoke" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sink", "record:{tmp}"), "expected a model that decides on labels"),
        (("--review", "{tmp}"), "expected a model that decides on labels"),
        (("--sink", "pictures:"), "expected pictures:FOLDER, got no folder"),
    ],
)
def test_what_needs_labels_says_so(
    made: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    given = [word.format(tmp=tmp_path / "x") for word in words]
    source = made / "data/test/pictures"
    _, error = edgecrnn("run", made / "a.edgecrnn", "--source", source, *given, code=2)
    assert said in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "denoice"), "got 'denoice' (did you mean 'denoise'?)"),
        (("--task", "denoise", "--motion"), "--motion: expected none for the task denoise"),
        (("--task", "denoise", "--flip", "horizontal"), "--flip: expected none for the task"),
        (("--task", "denoise", "--set", "noise"), "--set: expected NAME=VALUE, of denoise noise"),
        (("--task", "denoise", "--set", "nois=3"), "(did you mean 'noise'?)"),
        (("--task", "denoise", "--set", "noise=900"), "noise: expected 1 to 100 levels of 255"),
        (("--task", "denoise", "--size", "30x30"), "pixels or more, got 30x30; change --size"),
        (("--task", "denoise", "--budget", "5 ms linux-x86_64"), "--budget: expected none"),
        (("--task", "classify", "--set", "noise=3"), "--set: expected a --task with settings"),
        (("--task", "segment", "--size", "32x32", "--fit", "crop"), "fit: expected stretch"),
    ],
)
def test_flags_that_do_not_fit(
    made: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    _, error = edgecrnn("train", made / "data", "--out", tmp_path / "run", *words, code=2)
    assert said in error.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_several_machines_would_write_one_run(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}}')
    _, error = edgecrnn(
        "train", made / "data", "--out", tmp_path / "run", "--task", "denoise", code=2
    )
    assert "TF_CONFIG: expected none for a picture task" in error


def test_data_that_cannot_serve_the_task(made: Path, tmp_path: Path) -> None:
    for task, wanted in (("segment", "masks"), ("detect", "boxes.csv")):
        _, error = edgecrnn(
            "train", made / "data" / "train" / "pictures", "--task", task, "--out",
            tmp_path / "run", code=2,
        )  # fmt: skip
        assert f"[split/]{wanted}" in error and "add it" in error


def test_commands_for_labels_say_what_they_expected(made: Path, tmp_path: Path) -> None:
    _, error = edgecrnn("compare", made / "run", made / "run", "--out", tmp_path / "x", code=2)
    assert "task: expected one of classify, multilabel for this, got denoise" in error
    _, error = edgecrnn("explain", made / "run", made / "data", "--out", tmp_path / "y.png", code=2)
    assert "task: expected one of classify, multilabel for this, got denoise" in error


def test_resume_goes_on_with_nothing_left_to_do(made: Path) -> None:
    printed, _ = edgecrnn("train", made / "data", "--out", made / "run", "--resume")
    assert "psnr" in printed
