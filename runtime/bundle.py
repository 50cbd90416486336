"""Reading a bundle: every hash is checked before anything but the manifest is parsed."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

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
        """The golden frames (`frames`) and the scores expected of each variant by its name."""
        with np.load(io.BytesIO(self.read(GOLDEN)), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def open_bundle(path: Path) -> Bundle:
    """Open and verify a bundle: the one file, or the folder that it unpacks to.

    Raises:
        EdgecrnnError: it is not there, is not a bundle, or a file's hash does not match.
    """
    if not path.exists():
        raise EdgecrnnError(f"{path}: expected a bundle, got nothing there; check the path")
    present = _read_folder(path) if path.is_dir() else _read_zip(path)
    if MANIFEST not in present:
        raise EdgecrnnError(
            f"{path}: expected a bundle with {MANIFEST}, got {_what(path)}; "
            "make one with edgecrnn convert"
        )
    manifest = Manifest.from_json(present[MANIFEST], str(path))
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
    return (path / MANIFEST).is_file() if path.is_dir() else zipfile.is_zipfile(path)


def _read_folder(path: Path) -> dict[str, bytes]:
    manifest = path / MANIFEST
    if not manifest.is_file():
        return {}
    names = [MANIFEST, *Manifest.from_json(manifest.read_bytes(), str(path)).files]
    found = (path / name for name in names)
    return {file.name: file.read_bytes() for file in found if file.is_file()}


def _read_zip(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
                raise EdgecrnnError(f"{path}: expected a bundle, got an archive over 512 MB")
            return {info.filename: archive.read(info) for info in archive.infolist()}
    except DAMAGED_ARCHIVE as error:
        raise EdgecrnnError(
            f"{path}: expected a bundle, got a file that is not one ({error}); "
            "make one with edgecrnn convert"
        ) from error


def _what(path: Path) -> str:
    return "a folder without one" if path.is_dir() else "an archive without one"
