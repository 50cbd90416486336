"""A bundle from anywhere: what it says it holds, or a sentence; and nothing is ever written."""

from __future__ import annotations

import bz2
import json
import os
import stat
import struct
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from tests.runtime.bundle.opening import opened, packed, refused, unpacked

from edgecrnn.runtime.bundle import Bundle, is_bundle
from edgecrnn.runtime.files import sha256


def test_file_and_folder_hold_the_same(files: dict[str, bytes], sound: Path, path: Path) -> None:
    unpacked(path, files)
    for place in (sound, path):
        result = opened(place)
        assert isinstance(result, Bundle) and is_bundle(place)
        assert {**result.files, "manifest.json": files["manifest.json"]} == files
        assert result.golden()["frames"].shape == (2, 4, 4, 3)


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
    unreadable = Path("/sys/class/net/lo/speed")
    if unreadable.exists():
        model.unlink()
        model.symlink_to(unreadable)
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


def test_ten_gigabytes_in_ten_megabytes(files: dict[str, bytes], path: Path) -> None:
    """A bomb that says how large it is, and one that says otherwise."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = coder.compress(bytes(1 << 24)) + coder.flush(zlib.Z_FULL_FLUSH)
    bomb = zeros * 640 + coder.flush()
    for says, reason in ((10 << 30, "at most 512 MB"), (1000, "CRC")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", files["manifest.json"])
            archive.writestr("float32.tflite", bomb)
            # Only the directory at the end tells how it is to be read.
            member = archive.getinfo("float32.tflite")
            member.compress_type, member.file_size = zipfile.ZIP_DEFLATED, says
        began = time.monotonic()
        assert reason in refused(path)
        assert peak(path) < 5_000_000 and time.monotonic() - began < 5


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
