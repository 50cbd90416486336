"""A file whose size and times are the same is not read again; any change of it is seen."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sha256
from edgecrnn.train.data import digests
from edgecrnn.train.data.digests import Digests, digests_of, file_digest
from edgecrnn.train.data.store import load


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of these tests count as settled as soon as they are there."""
    monkeypatch.setattr(digests, "_SETTLED", -(10**12))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_bytes(name.encode())
    return folder


def again(root: Path) -> Digests:
    return digests_of(root, root.parent / "cache")


def read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember all, then make reading impossible."""
    first = again(root)
    for path in sorted(root.iterdir()):
        first(path)
    first.save()

    def unread(*arguments: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(digests, "file_sha256", unread)


def test_the_second_time_nothing_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_once(root, monkeypatch)
    assert [again(root)(root / name) for name in "ab"] == [sha256(b"a"), sha256(b"b")]


@pytest.mark.parametrize("how", ["another size", "another date", "size and date as they were"])
def test_a_changed_file_is_read(how: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_once(root, monkeypatch)
    file = root / "a"
    before = file.stat()
    time.sleep(0.02)
    file.write_bytes(b"longer" if how == "another size" else b"x")
    if how == "size and date as they were":
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(AssertionError, match="read again"):
        again(root)(file)
    assert again(root)(root / "b") == sha256(b"b")


def test_what_has_just_changed_is_not_remembered(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_SETTLED", 60 * 10**9)
    one = again(root)
    one(root / "a")
    one.save()
    assert not (root.parent / "cache").exists()


@pytest.mark.parametrize("text", ["", "[", "[]", '{"a": 3}', '{"a": ["x", "y"]}'])
def test_a_damaged_memory_is_none(text: str, root: Path) -> None:
    first = again(root)
    first(root / "a")
    first.save()
    (kept,) = (root.parent / "cache/digests").iterdir()
    kept.write_text(text)
    assert again(root)(root / "a") == sha256(b"a")


def test_a_memory_that_cannot_be_written_is_none(root: Path) -> None:
    (root.parent / "cache").write_text("a file")
    one = again(root)
    assert one(root / "a") == sha256(b"a")
    one.save()


def test_a_folder_of_pictures_is_one_clip(root: Path, write_picture) -> None:
    for number in range(3):
        write_picture(root / "clip" / f"{number}.png", seed=number)
    whole = file_digest(root / "clip")
    assert again(root)(root / "clip") == whole
    write_picture(root / "clip" / "1.png", seed=9)
    assert again(root)(root / "clip") != whole


def test_a_file_that_is_gone(root: Path) -> None:
    with pytest.raises(EdgecrnnError, match=r"c: could not be read \(No such file"):
        file_digest(root / "c")


def test_loading_reads_a_set_once(picture_set, small, settings, monkeypatch) -> None:
    first = load(picture_set, small, settings)
    monkeypatch.setattr(digests, "file_sha256", None)
    assert load(picture_set, small, settings).hash == first.hash
