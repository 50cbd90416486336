"""Reading a bundle: every hash is checked before anything but the manifest is parsed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import DAMAGED_ARCHIVE, sha256
from edgecrnn.runtime.manifest import GOLDEN, MANIFEST, Manifest, Variant
from edgecrnn.runtime.settings import nearest

# A bundle is a few models and golden frames; more than this is not one.
_MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Bundle:
    """A verified bundle in memory."""

    path: Path
    manifest: Manifest
    files: dict[str, bytes]

    def read(self, name: str) -> bytes:
        """The bytes of one of the files that the manifest names."""
        return self.files[name]

    def variant(self, name: str | None = None) -> Variant:
        """The variant of that name; the preferred one where none is named."""
        variants = self.manifest.variants
        if name is None:
            return variants[0]
        for variant in variants:
            if variant.name == name:
                return variant
        names = [variant.name for variant in variants]
        raise EdgecrnnError(
            f"variant: expected one of {', '.join(names)}, got {name!r}{nearest(name, names)}"
        )

    def golden(self) -> dict[str, npt.NDArray[np.generic]]:
        """The golden frames (`frames`) and the scores expected of each variant by its name.

        Raises:
            EdgecrnnError: the bundle has none, or they cannot be read.
        """
        try:
            with np.load(io.BytesIO(self.read(GOLDEN)), allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (*DAMAGED_ARCHIVE, LookupError, MemoryError) as error:
            raise EdgecrnnError(
                f"{self.path}: expected golden frames in {GOLDEN}, got {error!r}; "
                "convert the run again"
            ) from error


def open_bundle(path: Path) -> Bundle:
    """Open and verify a bundle: the one file, or the folder that it unpacks to.

    Raises:
        EdgecrnnError: it is not there, is not a bundle, or a file's hash does not match.
    """
    if not path.exists():
        raise EdgecrnnError(f"{path}: expected a bundle, got nothing there; check the path")
    if not (path.is_file() or path.is_dir()):
        raise EdgecrnnError(f"{path}: expected a bundle, got a device or a pipe; check the path")
    try:
        present = _read_folder(path) if path.is_dir() else _read_zip(path)
    except DAMAGED_ARCHIVE as error:
        raise EdgecrnnError(
            f"{path}: expected a bundle, got {'one' if path.is_dir() else 'a file'} that cannot "
            f"be read ({error}); make one with edgecrnn convert"
        ) from error
    if MANIFEST not in present:
        raise EdgecrnnError(
            f"{path}: expected a bundle with {MANIFEST}, got {_what(path)}; "
            "make one with edgecrnn convert"
        )
    manifest = Manifest.from_json(present[MANIFEST], str(path))
    for name in present.keys() - manifest.files.keys() - {MANIFEST}:
        raise EdgecrnnError(
            f"{path}: expected only the files that its manifest names, got {name!r} too; "
            "take the bundle that edgecrnn convert wrote"
        )
    files: dict[str, bytes] = {}
    for name, digest in manifest.files.items():
        if name not in present:
            raise EdgecrnnError(f"{path}: expected {name} in the bundle, got none; copy it again")
        if sha256(present[name]) != digest:
            raise EdgecrnnError(
                f"{path}: expected {name} with the SHA-256 {digest[:12]}…, "
                f"got {sha256(present[name])[:12]}…; the bundle is damaged, copy it again"
            )
        files[name] = present[name]
    return Bundle(path, manifest, files)


def is_bundle(path: Path) -> bool:
    """Whether `path` looks like a bundle rather than a run; nothing is verified."""
    if path.is_dir():
        return (path / MANIFEST).is_file()
    return path.is_file() and zipfile.is_zipfile(path)


def _read_folder(path: Path) -> dict[str, bytes]:
    manifest = path / MANIFEST
    if not manifest.is_file():
        return {}
    size = manifest.stat().st_size
    _check_size(path, [size])
    names = [MANIFEST, *Manifest.from_json(_read(manifest, size), str(path)).files]
    found = [path / name for name in names if (path / name).is_file()]
    sizes = [file.stat().st_size for file in found]
    _check_size(path, sizes)
    return {file.name: _read(file, size) for file, size in zip(found, sizes, strict=True)}


def _read(file: Path, size: int) -> bytes:
    """At most `size` bytes, for some files never end (those in /proc say that they have none)."""
    try:
        with file.open("rb") as opened:
            return opened.read(size)
    except OSError as error:
        # Reading names no file, unlike opening: which one lies on the bad block?
        raise OSError(error.errno, error.strerror, str(file)) from error


def _read_zip(path: Path) -> dict[str, bytes]:
    _check_size(path, [path.stat().st_size])
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _check_size(path, [member.file_size for member in members])
        if len({member.filename for member in members}) != len(members):
            raise EdgecrnnError(f"{path}: expected a bundle, got an archive with a name twice")
        # Python unpacks the other methods without regard to the size that is asked for.
        if not {member.compress_type for member in members} <= {ZIP_STORED, ZIP_DEFLATED}:
            raise EdgecrnnError(f"{path}: expected files stored or deflated, got another method")
        return {member.filename: _unpack(archive, member) for member in members}


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """No more than the archive says; `archive.read` would first unpack all that there is."""
    with archive.open(member) as opened:
        return opened.read(member.file_size)


def _check_size(path: Path, sizes: Iterable[int]) -> None:
    if sum(sizes) > _MOST_BYTES:
        raise EdgecrnnError(f"{path}: expected a bundle of at most 512 MB, got a larger one")


def _what(path: Path) -> str:
    return "a folder without one" if path.is_dir() else "an archive without one"
