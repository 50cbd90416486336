"""A folder of clips under a size cap."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.shelf import Shelf


def put(shelf: Shelf, size: int, under: str = "", what: str = "cat") -> Path:
    """A clip of two files with so many bytes."""
    with shelf.writing() as place:
        (place / "a").write_bytes(bytes(size // 2))
        (place / "b").write_bytes(bytes(size - size // 2))
        return shelf.keep(place, under, what)


def kept(folder: Path) -> list[int]:
    """The numbers of the clips that are there."""
    return sorted(int(path.name[:6]) for path in folder.glob("**/0*") if path.is_dir())


def test_the_oldest_leave_first_and_the_cap_holds(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, cap=0.1, free=0)
    for _ in range(12):
        put(shelf, 30_000)
        assert sum(each.stat().st_size for each in tmp_path.glob("*/?")) <= 100_000
    assert kept(tmp_path) == [10, 11, 12]
    assert not list(tmp_path.glob(".*"))


def test_the_unsorted_leave_before_the_corrected(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, cap=0.1, free=0, first="__unsorted")
    for under in ("cat", "__unsorted", "cat", "__unsorted", "__unsorted", "dog"):
        put(shelf, 30_000, under)
    assert kept(tmp_path / "cat") == [1, 3]
    assert kept(tmp_path / "dog") == [6]
    assert kept(tmp_path / "__unsorted") == []


def test_the_next_run_goes_on_counting_and_knows_the_sizes(tmp_path: Path) -> None:
    put(Shelf(tmp_path, cap=0.1, free=0), 60_000)
    shelf = Shelf(tmp_path, cap=0.1, free=0)
    assert put(shelf, 60_000).name.startswith("000002-")
    assert kept(tmp_path) == [2]


def test_what_a_person_named_is_left_alone(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, cap=0.1, free=0)
    put(shelf, 60_000).rename(tmp_path / "the best one")
    (tmp_path / "notes.txt").write_text("mine")
    for _ in range(5):
        put(shelf, 60_000)
    assert {path.name for path in tmp_path.iterdir()} >= {"the best one", "notes.txt"}
    assert kept(tmp_path) == [6]


def test_one_larger_than_the_cap_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, cap=0.1, free=0)
    put(shelf, 50_000)
    with pytest.raises(EdgecrnnError, match="raise the cap"):
        put(shelf, 200_000)
    assert kept(tmp_path) == [1]
    assert not list(tmp_path.glob(".*"))


def test_what_a_killed_process_left_is_swept_away_what_another_writes_is_not(
    tmp_path: Path,
) -> None:
    mine = Shelf(tmp_path, cap=1, free=0)
    place = mine.begin()
    (place / "a").write_bytes(b"half")
    code = (
        "import os, sys; from pathlib import Path; from edgecrnn.runtime.shelf import Shelf;"
        "shelf = Shelf(Path(sys.argv[1]), 1, 0); place = shelf.begin();"
        "(place / 'a').write_bytes(b'half'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert len(list(tmp_path.glob(".*"))) == 2
    Shelf(tmp_path, cap=1, free=0)
    assert list(tmp_path.glob(".*")) == [place]
    assert mine.keep(place, "", "cat").is_dir()
    mine.end(place)


def test_two_shelves_on_one_folder_do_not_overwrite(tmp_path: Path) -> None:
    one, two = (Shelf(tmp_path, cap=1, free=0) for _ in range(2))
    names = {put(shelf, 10).name for shelf in (one, two, one, two)}
    assert len(names) == len(kept(tmp_path)) == 4


def test_many_who_open_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Streams of one run that share a folder, and runs that start meanwhile."""

    def pictures(number: int) -> int:
        shelf = Shelf(tmp_path, cap=100, free=0)
        for _ in range(60):
            with shelf.writing() as place:
                (place / "x.png").write_text(str(number))
                shelf.keep(place / "x.png", "", "same")
                Shelf(tmp_path, cap=100, free=0)
        return number

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(pictures, range(4))) == [0, 1, 2, 3]
    assert len(list(tmp_path.glob("0*.png"))) == 240
    assert not list(tmp_path.glob(".*"))


def test_a_picture_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
    shelf = Shelf(tmp_path, cap=100, free=0)
    with shelf.writing() as place:
        (place / "x.png").write_text("x")
        path = shelf.keep(place / "x.png", "cat", "corrected")
    assert synced == [each.stat().st_ino for each in (tmp_path, path, path.parent)]


def test_a_nearly_full_disk_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="MB left on the disk"):
        put(Shelf(tmp_path, cap=1, free=1e12), 10)


@pytest.mark.parametrize("where", ["/proc/clips", "/dev/null/clips", "a\0b", "x" * 300])
def test_a_folder_that_cannot_be_written_is_refused(where: str) -> None:
    with pytest.raises(EdgecrnnError, match="expected a folder that can be written"):
        Shelf(Path(where), cap=1, free=0)
