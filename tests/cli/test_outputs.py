"""An output that cannot be written: told in one sentence before any work is done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journey import write_pictures

from edgecrnn import cli

COMMANDS = {
    "train": ("train", "{data}", "--out", "{to}"),
    "demo": ("demo", "--out", "{to}"),
    "demo --export": ("demo", "--export", "{to}"),
    "convert": ("convert", "{data}", "--device", "linux-x86_64", "--out", "{to}"),
    "evaluate --json": ("evaluate", "{data}", "{data}", "--json", "{to}"),
    "bench --json": ("bench", "{data}", "--json", "{to}"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures") / "data", per_class=3)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("file/out", "got a file; choose another path"),
        ("proc/out", "expected a path that can be written"),
        ("proc/some/way/down", "expected a path that can be written"),
        ("x" * 300, "File name too long"),
        ("pipe", "got a device or a pipe"),
        ("pipe --force", "got a device or a pipe"),
        ("other --force", "to replace, got a "),
    ],
)
def test_an_output_that_cannot_be_written(
    command: str, to: str, said: str, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("a person's own")
    (tmp_path / "proc").symlink_to("/proc")
    os.mkfifo(tmp_path / "pipe")
    # What is there already is of the other sort: a file for a folder, a folder for a file.
    if "--json" in command or command == "convert":
        (tmp_path / "other").mkdir()
    else:
        (tmp_path / "other").write_text("a person's own")
    before = sorted(tmp_path.rglob("*"))
    path, _, force = to.partition(" ")
    words = [word.format(data=data, to=tmp_path / path) for word in COMMANDS[command]]
    assert cli.main([*words, *force.split()]) == 2
    shown = capfd.readouterr()
    assert shown.err.startswith(f"edgecrnn: {tmp_path / path}") and said in shown.err
    assert shown.err.count("\n") == 1 and not shown.out
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", ["train", "demo", "demo --export"])
def test_force_replaces_no_folder_of_a_persons_own(
    command: str, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.tex").write_text("hard work")
    words = [word.format(data=data, to=tmp_path / "thesis") for word in COMMANDS[command]]
    assert cli.main([*words, "--force"]) == 2
    assert "to replace, got one with 'chapter.tex'" in capfd.readouterr().err
    assert (tmp_path / "thesis/chapter.tex").read_text() == "hard work"


@pytest.mark.parametrize("words", [("devices", "list"), ("devices", "show", "raspberry-pi-5")])
def test_standard_output_on_a_full_disk(words: tuple[str, ...]) -> None:
    """The program itself, for Python writes once more when it ends."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edgecrnn", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        )
    assert done.returncode == 2
    assert done.stderr.startswith("edgecrnn: expected space left on the disk")
    assert done.stderr.count("\n") == 1
