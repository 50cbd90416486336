"""A bundle from anywhere: what it says it holds, or a sentence; and nothing is ever written."""

from __future__ import annotations

import bz2
import dataclasses
import io
import json
import os
import stat
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecrnn.runtime.bundle import Bundle, is_bundle, open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sha256

MUTATIONS = 4000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "os.truncate"}
_watched: list[list[str]] = []


def _note(event: str, args: tuple[Any, ...]) -> None:
    """Python tells every file that it opens; an audit hook stays for good, so it asks first."""
    if _watched and (event in _CHANGES or (event == "open" and int(args[2]) & _WRITING)):
        _watched[-1].append(f"{event} {args[0]}")


sys.addaudithook(_note)


def opened(path: Path) -> Bundle | str:
    """What `open_bundle` gives, or its sentence; whatever it does, it writes nothing."""
    _watched.append([])
    try:
        return open_bundle(path)
    except EdgecrnnError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return str(error)
    finally:
        assert _watched.pop() == []


def refused(path: Path) -> str:
    result = opened(path)
    assert isinstance(result, str)
    return result


@pytest.fixture(scope="module")
def files(bundle_path: Path) -> dict[str, bytes]:
    """What is in a sound bundle, with golden frames."""
    golden = io.BytesIO()
    np.savez(golden, frames=np.zeros((2, 4, 4, 3), np.uint8))
    with zipfile.ZipFile(bundle_path) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    inside["golden.npz"] = golden.getvalue()
    manifest = json.loads(inside["manifest.json"])
    manifest["files"]["golden.npz"] = sha256(inside["golden.npz"])
    return {**inside, "manifest.json": json.dumps(manifest, indent=1).encode()}


@pytest.fixture(scope="module")
def sound(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "bundle"
    packed(path, files, zipfile.ZIP_DEFLATED)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a bundle is to be written; afterwards it is the only thing there."""
    (tmp_path / "inside").mkdir()
    yield tmp_path / "inside/bundle"
    assert [entry.name for entry in tmp_path.iterdir()] == ["inside"]
    assert [entry.name for entry in (tmp_path / "inside").iterdir()] in ([], ["bundle"])


def packed(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)


def unpacked(path: Path, files: Mapping[str, bytes]) -> None:
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)


def test_file_and_folder_hold_the_same(files: dict[str, bytes], sound: Path, path: Path) -> None:
    unpacked(path, files)
    for place in (sound, path):
        result = opened(place)
        assert isinstance(result, Bundle) and is_bundle(place)
        assert {**result.files, "manifest.json": files["manifest.json"]} == files
        assert result.golden()["frames"].shape == (2, 4, 4, 3)


def mutated(whole: bytes, rng: np.random.Generator, kind: int) -> bytes:
    """One of: bits, bytes, a part gone, a part twice, a part moved, cut short, bytes added."""
    data = bytearray(whole)
    start, other = sorted(int(place) for place in rng.integers(0, len(data), 2))
    length = int(rng.integers(1, 64))
    if kind == 0:
        data[start] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for place in rng.integers(0, len(data), int(rng.integers(1, 8))):
            data[place] = rng.integers(256)
    elif kind == 2:
        del data[start : start + length]
    elif kind == 3:
        data[other:other] = data[start : start + length]
    elif kind == 4:
        data[start : start + length] = data[other : other + length]
    elif kind == 5:
        del data[start:]
    else:
        data[start:start] = rng.bytes(length)
    return bytes(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_thousands_of_damaged_archives(
    method: int, files: dict[str, bytes], sound: Path, path: Path
) -> None:
    """Refused, or exactly what was in it: where only a date changed, say."""
    packed(path, files, method)
    whole, original = path.read_bytes(), open_bundle(sound)
    rng = np.random.default_rng(method)
    refusals = 0
    for number in range(MUTATIONS // 2):
        path.write_bytes(mutated(whole, rng, number % 7))
        result = opened(path)
        if isinstance(result, str):
            refusals += 1
        else:
            assert (result.manifest, result.files) == (original.manifest, original.files)
    assert refusals > MUTATIONS // 4


def test_a_thousand_damaged_folders(files: dict[str, bytes], path: Path) -> None:
    """Hashes guard every file but the manifest; that one may at most say something else."""
    unpacked(path, files)
    rng = np.random.default_rng(0)
    for number in range(1000):
        name = sorted(files)[number % len(files)]
        damaged = mutated(files[name], rng, number % 7)
        (path / name).write_bytes(damaged)
        result = opened(path)
        if name != "manifest.json" and damaged != files[name]:
            assert isinstance(result, str) and name in result
        assert isinstance(result, str) or all(
            result.files[known] == files[known] for known in result.files
        )
        (path / name).write_bytes(files[name])


@pytest.mark.parametrize(
    "name",
    [
        "../outside", "../../outside", "/tmp/outside", "a/../../outside", "..", ".", "./x", "C:/x",
        "..\\outside", "folder/", "\x1b[2J", "-rf", "ünknown",
    ],
)  # fmt: skip
def test_a_member_that_would_leave_the_folder(
    name: str, files: dict[str, bytes], path: Path
) -> None:
    """Refused as a stranger in the archive, and where its manifest names it."""
    packed(path, {**files, name: b"x"})
    assert "expected only the files that its manifest names" in refused(path)
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = sha256(b"x")
    packed(path, {**files, name: b"x", "manifest.json": json.dumps(manifest).encode()})
    assert "files: expected plain names" in refused(path)


def test_a_link_is_only_the_text_that_it_is(files: dict[str, bytes], path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)
            if name == "float32.tflite":
                member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
                data = b"/etc/passwd"
            archive.writestr(member, data)
    assert "expected float32.tflite with the SHA-256" in refused(path)


def test_a_folder_with_links_devices_and_pipes(files: dict[str, bytes], path: Path) -> None:
    """What a link leads to has the hash, or it is refused; what never ends is not read."""
    unpacked(path, files)
    model = path / "float32.tflite"
    for target in ("/etc/passwd", "/dev/zero", "/proc/self/mem", "nowhere", "float32.tflite"):
        model.unlink()
        model.symlink_to(target)
        assert "float32.tflite" in refused(path)
    model.unlink()
    os.mkfifo(model)
    assert "expected float32.tflite in the bundle, got none" in refused(path)


def test_a_name_that_stands_twice(files: dict[str, bytes], path: Path) -> None:
    """Readers differ in which of the two they take."""
    packed(path, files)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("float32.tflite", files["float32.tflite"])
    assert "an archive with a name twice" in refused(path)


def peak(path: Path) -> int:
    """Most bytes that refusing the file took."""
    tracemalloc.start()
    try:
        refused(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_gigabytes_in_a_small_file(files: dict[str, bytes], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("manifest.json", files["manifest.json"])
        with archive.open("float32.tflite", "w", force_zip64=True) as member:
            for _ in range(600):
                member.write(bytes(1024 * 1024))
    assert path.stat().st_size < 8_000_000
    assert "at most 512 MB" in refused(path) and peak(path) < 5_000_000


def test_a_size_that_is_not_true(files: dict[str, bytes], path: Path) -> None:
    """The archive says ten bytes where 64 MB would come."""
    for method, reason in ((zipfile.ZIP_DEFLATED, "CRC"), (zipfile.ZIP_BZIP2, "another method")):
        zeros = bytes(64 * 1024 * 1024)
        packed(path, {**files, "float32.tflite": zeros}, method)
        size = struct.pack("<I", len(zeros))
        assert path.read_bytes().count(size) == 2
        path.write_bytes(path.read_bytes().replace(size, struct.pack("<I", 10)))
        del zeros
        assert reason in refused(path) and peak(path) < 5_000_000
    assert len(bz2.compress(bytes(64 * 1024 * 1024))) < 100


def test_a_folder_of_more_than_there_is_memory(files: dict[str, bytes], path: Path) -> None:
    unpacked(path, files)
    for name in ("float32.tflite", "manifest.json"):
        with (path / name).open("ab") as file:
            file.truncate(1 << 40)
        assert "at most 512 MB" in refused(path)


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"format": 2}',
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda data: data[:12].decode("latin1"),
)  # fmt: skip
def test_a_manifest_that_is_none(manifest: bytes, files: dict[str, bytes], path: Path) -> None:
    packed(path, {**files, "manifest.json": manifest})
    refused(path)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    return [way] * bool(way) + [deep for key, one in inside for deep in places(one, (*way, key))]


@pytest.mark.parametrize("value", [None, True, 7, 0.5, "text", [], [1], {}, {"a": {}}, "\ud800"])
def test_a_manifest_with_a_value_of_another_kind(
    value: Any, files: dict[str, bytes], path: Path
) -> None:
    for way in places(json.loads(files["manifest.json"])):
        manifest = inside = json.loads(files["manifest.json"])
        for step in way[:-1]:
            inside = inside[step]
        before, inside[way[-1]] = inside[way[-1]], value
        packed(path, {**files, "manifest.json": json.dumps(manifest).encode()})
        result = opened(path)
        if not isinstance(result, str):
            # A number for a number, a text for a text; a frame rate may be left out.
            numbers = (int, float)
            both = isinstance(value, numbers) and isinstance(before, numbers)
            assert both or type(value) is type(before) or value in (None, {}), way


def test_what_is_no_bundle_at_all(path: Path, tmp_path: Path) -> None:
    assert "got nothing there" in refused(path)
    path.write_bytes(b"")
    assert "a file that cannot be read" in refused(path)
    path.unlink()
    path.mkdir()
    assert "a folder without one" in refused(path)
    path.rmdir()
    os.mkfifo(path)
    assert "a device or a pipe" in refused(path) and not is_bundle(path)
    assert "a device or a pipe" in refused(Path("/dev/zero"))


@pytest.mark.parametrize("golden", [b"", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"no archive"])
def test_golden_frames_that_are_none(golden: bytes, sound: Path) -> None:
    """The hash may be right and the content no archive: somebody else's converter, say."""
    bundle = open_bundle(sound)
    broken = dataclasses.replace(bundle, files={**bundle.files, "golden.npz": golden})
    missing = dataclasses.replace(bundle, files={})
    if golden.startswith(b"PK"):
        assert broken.golden() == {}
    else:
        with pytest.raises(EdgecrnnError, match="expected golden frames in golden.npz"):
            broken.golden()
    with pytest.raises(EdgecrnnError, match="expected golden frames in golden.npz"):
        missing.golden()
