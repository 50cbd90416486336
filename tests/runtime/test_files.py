"""Outputs are written whole or not at all; what cannot be written is refused beforehand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, new_folder, write_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("a person's own")
    return path


def refusal(path: Path, force: bool = False, replaces: tuple[str, ...] | None = None) -> str:
    before = names(path.parent) if path.parent.is_dir() else []
    with pytest.raises(EdgecrnnError) as caught:
        check_output(path, force, replaces)
    said = str(caught.value)
    assert said.startswith(f"{path}: expected ") and "\n" not in said
    assert not path.parent.is_dir() or names(path.parent) == before
    return said


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_can_be_written_is_accepted_and_nothing_is_left_of_the_trial(tmp_path: Path) -> None:
    for path in (tmp_path / "new", tmp_path / "some/way/down/new"):
        check_output(path, False)
    assert names(tmp_path) == []


def test_a_path_that_is_taken(file: Path) -> None:
    assert refusal(file).endswith("or replace it with --force")
    check_output(file, True)


def test_a_path_under_a_file(file: Path) -> None:
    for path in (file / "new", file / "some/way/down/new"):
        assert "got a file" in refusal(path)


def test_a_folder_where_nobody_can_write() -> None:
    """Not even root, whom the permissions let through."""
    for path in (Path("/proc/new"), Path("/proc/some/way/down/new")):
        assert "expected a path that can be written" in refusal(path)


def test_a_disk_that_is_only_read(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert "Read-only file system" in refusal(small_disk / "new")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    """255 bytes is the most; what is written beside it has a few more."""
    for length in (250, 300):
        assert "File name too long" in refusal(tmp_path / ("x" * length))


@pytest.mark.parametrize("force", [False, True])
def test_devices_and_pipes_stay_what_they_are(force: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "full").symlink_to("/dev/full")
    for path in (tmp_path / "pipe", tmp_path / "full"):
        assert "got a device or a pipe" in refusal(path, force, ())


def test_force_replaces_only_what_was_written_before(tmp_path: Path, file: Path) -> None:
    own, run, empty = (tmp_path / name for name in ("own", "run", "empty"))
    for folder, name in ((own, "thesis.tex"), (run, "run.json")):
        folder.mkdir()
        (folder / name).write_text("")
    empty.mkdir()
    marks = ("run.json", "plan.json")
    for path in (run, empty, tmp_path / "new"):
        check_output(path, True, marks)
    assert "with run.json or plan.json to replace, got one with 'thesis.tex'" in refusal(
        own, True, marks
    )
    assert "expected a folder to replace, got a file" in refusal(file, True, marks)
    assert "expected a file to replace, got a folder" in refusal(own, True, ())
    check_output(file, True, ())


@pytest.mark.parametrize("where", ["file/new", "proc/new", "own", "x" * 250])
def test_a_file_that_cannot_be_written_leaves_nothing(
    where: str, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "proc").symlink_to("/proc")
    before = names(tmp_path)
    with pytest.raises(EdgecrnnError, match=r": could not be written \([A-Z][a-z ]+\)"):
        write_file(tmp_path / where, b"x")
    assert names(tmp_path) == before
    assert file.read_text() == "a person's own"


def test_a_full_disk_keeps_the_file_before(small_disk: Path) -> None:
    write_file(small_disk / "model", b"a" * 1_500_000)
    with pytest.raises(EdgecrnnError, match=r"model: could not be written \(No space left"):
        write_file(small_disk / "model", b"b" * 1_500_000)
    assert (small_disk / "model").read_bytes() == b"a" * 1_500_000
    assert names(small_disk) == ["model"]


@pytest.mark.parametrize("before", ["nothing", "folder", "file", "link", "dangling"])
def test_a_folder_takes_the_place_of_what_was_there(before: str, tmp_path: Path) -> None:
    place, behind = tmp_path / "run", tmp_path / "real"
    if before in ("folder", "link"):
        target = place if before == "folder" else behind
        target.mkdir()
        (target / "old").write_text("")
    if before in ("link", "dangling"):
        place.symlink_to(behind)
    if before == "file":
        place.write_text("")
    with new_folder(place) as folder:
        (folder / "new").write_text("")
    assert names(place) == ["new"]
    assert place.is_symlink() == (before in ("link", "dangling"))
    assert set(names(tmp_path)) == ({"run", "real"} if place.is_symlink() else {"run"})


def test_a_folder_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    with new_folder(tmp_path / "run") as folder:
        (folder / "old").write_text("")
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "run") as folder:
        (folder / "new").write_text("")
        raise ZeroDivisionError
    assert names(tmp_path) == ["run"] and names(tmp_path / "run") == ["old"]
