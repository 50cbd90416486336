"""A full disk: one sentence, code 2, nothing half-written, and what was there is there still."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from tests.full_disk import FullDisk
from tests.journey import TRAIN, write_clips

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.demo.export import make_stream
from edgecrnn.train.demo.moving_digits import DemoSettings

SHORT = (*TRAIN, "--epochs", "1", "--no-baseline")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("data") / "clips", per_class=4)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory, data: Path, cache: Path, full_disk: FullDisk
) -> Path:
    """A run, alone in a folder that tests copy to their disk."""
    run = tmp_path_factory.mktemp("trained") / "run"
    done = full_disk.again("train", data, "--out", run, "--cache", cache, *SHORT)
    assert done.code == 0, done.said
    return run


@pytest.mark.parametrize("free", [0, 16_384])
def test_decoding_into_the_cache(
    free: int, data: Path, tmp_path: Path, full_disk: FullDisk
) -> None:
    words = ("train", data, "--out", tmp_path / "run", "--cache", full_disk.folder / "cache")
    ended = full_disk.run(*words, *SHORT, free=free)
    assert ended.refused() and not ended.new and not (tmp_path / "run").exists()
    assert "No space left on device; choose another folder with --cache" in ended.sentence


def test_a_training_that_cannot_begin(data: Path, cache: Path, full_disk: FullDisk) -> None:
    words = ("train", data, "--out", full_disk.folder / "run", "--cache", cache, *SHORT)
    ended = full_disk.run(*words, free=0)
    assert ended.refused() and not ended.new
    assert "plan.json: could not be written (No space left on device); free" in ended.sentence


def test_a_checkpoint_and_then_the_run(data: Path, cache: Path, full_disk: FullDisk) -> None:
    """What was trained is not lost: --resume goes on once there is room."""
    out = full_disk.folder / "run"
    words = ("train", data, "--out", out, "--cache", cache, *SHORT)
    ended = full_disk.run(*words, free=40_000)
    assert ended.refused() and ended.new == {"run", "run/plan.json"}
    assert "checkpoint.npz: could not be written (No space" in ended.sentence
    ended = full_disk.run(*words, free=150_000)
    assert ended.refused() and ended.new == {"run", "run/plan.json", "run/checkpoint.npz"}
    assert f"{out}: could not be written (No space" in ended.sentence
    resumed = full_disk.again("train", data, "--out", out, "--resume")
    assert resumed.code == 0, resumed.said
    assert {"run/model.keras", "run/run.json", "run/report.html"} <= resumed.new
    assert not [name for name in resumed.after if "/." in f"/{name}"]


def test_a_run_that_is_there_is_replaced_by_a_whole_one_or_not_at_all(
    run: Path, data: Path, cache: Path, full_disk: FullDisk
) -> None:
    words = ("train", data, "--out", full_disk.folder / "run", "--cache", cache, "--force")
    ended = full_disk.run(*words, *SHORT, free=0, content=run.parent)
    assert ended.refused() and not ended.new
    ended = full_disk.run(*words, *SHORT, free=100_000, content=run.parent)
    assert ended.code == 2 and "could not be written (No space" in ended.sentence
    for name in ("model.keras", "run.json", "report.html"):
        assert ended.after[f"run/{name}"] == ended.before[f"run/{name}"]
    assert not [name for name in ended.new if "/." in f"/{name}"]


@pytest.mark.parametrize("name", ["explained.png", "explained.mp4"])
@pytest.mark.parametrize("free", [0, 20_480])
def test_explain(
    name: str, free: int, run: Path, data: Path, tmp_path: Path, full_disk: FullDisk
) -> None:
    """OpenCV's writer of films says nothing of a full disk; the film is read back."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / name).write_bytes(b"the old one")
    words = ("explain", run, data / "still/0.avi", "--out", full_disk.folder / name, "--force")
    ended = full_disk.run(*words, free=free, content=tmp_path / "old")
    assert ended.refused() and not ended.new
    assert f"{name}: could not be written (No space left on device)" in ended.sentence
    if free:
        assert full_disk.again(*words).code == 0


def test_the_figures_of_evaluate(
    run: Path, data: Path, cache: Path, tmp_path: Path, full_disk: FullDisk
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/figures.json").write_text(json.dumps("the old ones"))
    words = ("evaluate", run, data, "--cache", cache, "--force")
    to = ("--json", full_disk.folder / "figures.json")
    ended = full_disk.run(*words, *to, free=0, content=tmp_path / "old")
    assert ended.refused() and not ended.new
    assert "figures.json: could not be written (No space" in ended.sentence


@pytest.mark.parametrize("free", [0, 300_000])
def test_the_export_of_the_demo(free: int, tmp_path: Path, full_disk: FullDisk) -> None:
    """The clips that are there stay; OpenCV writes half of others without a word."""
    old = tmp_path / "old/demo/train/up"
    old.mkdir(parents=True)
    shutil.copy(__file__, old / "000.avi")
    words = ("demo", "--export", full_disk.folder / "demo", "--clips", "2", "--force")
    ended = full_disk.run(*words, free=free, content=tmp_path / "old")
    assert ended.refused() and not ended.new
    assert "demo: could not be written (No space left on device)" in ended.sentence


def test_the_demo(full_disk: FullDisk) -> None:
    ended = full_disk.run("demo", "--out", full_disk.folder / "demo", free=300_000)
    assert ended.refused() and ended.new == {"demo", "demo/made-by-edgecrnn-demo.txt"}
    assert "demo/data: could not be written (No space left on device)" in ended.sentence


def test_the_video_of_the_demo(small_disk: Path) -> None:
    """OpenCV writes half of it without a word."""
    (small_disk / "stream.avi").write_bytes(b"the old one")
    (small_disk / "ballast").write_bytes(bytes(1_900_000))
    with pytest.raises(EdgecrnnError, match=r"stream\.avi: could not be written \(No space"):
        make_stream(small_disk / "stream.avi", DemoSettings())
    assert (small_disk / "stream.avi").read_bytes() == b"the old one"
    assert {path.name for path in small_disk.iterdir()} == {"stream.avi", "ballast"}
