"""What the device runtime writes to a full disk: whole lines, whole files, and a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.full_disk import FullDisk

FRAMES = 200


@pytest.fixture
def video(write_video: Callable[..., Path]) -> Path:
    return write_video(["red", "blue"] * (FRAMES // 2))


@pytest.mark.parametrize(("kind", "free"), [("jsonl", 0), ("jsonl", 12_288), ("csv", 12_288)])
def test_lines_that_a_run_adds_to_a_file(
    kind: str, free: int, bundle_path: Path, video: Path, tmp_path: Path, full_disk: FullDisk
) -> None:
    """Those that fit are whole, those of earlier runs are there, and the next run adds to them."""
    spec = f"{kind}:{full_disk.folder}/results"
    words = ("run", bundle_path, "--source", video, "--sink", spec)
    before = full_disk.run(*words, free=1_000_000)
    assert before.code == 0
    (tmp_path / "old").mkdir()
    (tmp_path / "old/results").write_bytes(full_disk.read("results"))
    ended = full_disk.run(*words, free=free, content=tmp_path / "old")
    assert ended.code == 2 and not ended.new
    assert ended.sentence.endswith("/results: No space left on device")
    lines = full_disk.read("results").splitlines(keepends=True)
    earlier = (tmp_path / "old/results").read_bytes().splitlines(keepends=True)
    head = len(earlier) - FRAMES
    assert lines[: len(earlier)] == earlier and len(lines) < len(earlier) + FRAMES
    assert len(lines) > len(earlier) or not free
    assert all(line.endswith(b"\n") for line in lines)
    if kind == "jsonl":
        assert [json.loads(line)["frame"] for line in lines[FRAMES:]] == list(
            range(len(lines) - FRAMES)
        )
    else:
        assert {line.count(b",") for line in lines} == {lines[0].count(b",")}
    assert full_disk.again(*words).code == 0
    assert len(full_disk.read("results").splitlines()) == len(lines) + FRAMES
    assert head == (kind == "csv")


def test_the_head_of_a_table(bundle_path: Path, video: Path, full_disk: FullDisk) -> None:
    words = ("run", bundle_path, "--source", video, "--sink", f"csv:{full_disk.folder}/results")
    ended = full_disk.run(*words, free=0)
    assert ended.refused()
    assert ended.sentence.endswith("results: expected space left on the disk, got none; free some "
                                   "and start again")  # fmt: skip
    assert full_disk.again(*words).code == 0


def test_standard_output(bundle_path: Path, video: Path) -> None:
    """`edgecrnn run ... > file`; Python writes once more when it ends."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edgecrnn", "run", bundle_path, "--source", video],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "No space left" in done.stderr or "expected space left on the disk" in done.stderr


def test_the_figures_of_bench(bundle_path: Path, tmp_path: Path, full_disk: FullDisk) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/figures.json").write_text("the old ones")
    words = ("bench", bundle_path, "--seconds", "0.1", "--force")
    to = ("--json", full_disk.folder / "figures.json")
    ended = full_disk.run(*words, *to, free=0, content=tmp_path / "old")
    assert ended.refused() and not ended.new
    assert "figures.json: could not be written (No space left on device)" in ended.sentence


def test_a_folder_that_was_made_for_a_file_goes_with_it(small_disk: Path) -> None:
    from edgecrnn.runtime.errors import EdgecrnnError
    from edgecrnn.runtime.files import new_folder, write_file

    with pytest.raises(EdgecrnnError, match="free some space and start again"):
        write_file(small_disk / "some/way/down", bytes(3_000_000))
    with pytest.raises(OSError, match="No space left"), new_folder(small_disk / "a/run") as folder:
        (folder / "model").write_bytes(bytes(3_000_000))
    assert list(small_disk.iterdir()) == []


def test_chatter_is_kept_off_the_disk(bundle_path: Path, video: Path) -> None:
    """Where no folder takes a file any more, the live loop still runs."""
    code = (
        "import sys, tempfile\n"
        "tempfile._candidate_tempdir_list = lambda: ['/proc']\n"
        "from edgecrnn.cli import main\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run", bundle_path, "--source", video],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == FRAMES
