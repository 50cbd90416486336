"""A writer killed at any moment: the old or the new, whole; the next writer clears up after it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgecrnn.runtime import files
from edgecrnn.runtime.files import new_folder, sweep, write_file

KILLS = 40
# Writes versions without end: a file, or a folder with three files, all of one letter.
WRITER = """
import sys, itertools, pathlib
from edgecrnn.runtime.files import new_folder, write_file
kind, path = sys.argv[1], pathlib.Path(sys.argv[2])
for letter in itertools.cycle((b"a", b"b")):
    if kind == "file":
        write_file(path, letter * 300_000)
    else:
        with new_folder(path) as folder:
            for name in ("one", "two", "three"):
                (folder / name).write_bytes(letter * 20_000)
    print("written", flush=True)
"""


def killed(kind: str, path: Path, after: float) -> None:
    """A process that writes, killed that long after it first wrote."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, kind, str(path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    time.sleep(after)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_file_is_one_version_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    chance, path, left = random.Random(0), tmp_path / "model", 0
    for _ in range(KILLS):
        killed("file", path, chance.uniform(0, 0.02))
        data = path.read_bytes()
        assert data == data[:1] * 300_000
        left += len(list(tmp_path.iterdir())) - 1
    assert left > 0
    write_file(path, b"the last")
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"the last"


def test_a_folder_is_one_version_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    chance, path, left = random.Random(1), tmp_path / "run", 0
    for _ in range(KILLS):
        killed("folder", path, chance.uniform(0, 0.02))
        found = {entry.name: entry.read_bytes() for entry in path.iterdir()}
        assert set(found) == {"one", "two", "three"}
        assert len(set(found.values())) == 1 and len(found["one"]) == 20_000
        left += len(list(tmp_path.iterdir())) - 1
    assert left > 0
    with new_folder(path) as folder:
        (folder / "last").write_bytes(b"")
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_being_written_is_left_alone(tmp_path: Path) -> None:
    with new_folder(tmp_path / "run") as first:
        (first / "file").write_bytes(b"first")
        with new_folder(tmp_path / "run") as second:
            (second / "file").write_bytes(b"second")
        sweep(tmp_path / "run")
        assert (first / "file").read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run/file").read_bytes() == b"first"


def test_only_what_was_left_of_the_same_name_is_swept(tmp_path: Path) -> None:
    others = [".run.0123456", ".run.0123456789", ".run.settings", ".run2.01234567", "run.01234567"]
    for name in (*others, ".run.01234567"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".run.89abcdef").mkdir()
    (tmp_path / ".run.89abcdef/half").write_bytes(b"")
    (tmp_path / ".run.00000000").symlink_to(tmp_path / ".run2.01234567")
    sweep(tmp_path / "run")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(others)


def test_a_file_system_that_cannot_swap_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    for content in (b"old", b"new"):
        with new_folder(tmp_path / "run") as folder:
            (folder / "file").write_bytes(content)
    assert (tmp_path / "run/file").read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]
