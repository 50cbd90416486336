"""Writing so that a kill leaves the old file or the new one, never a half of either."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError

# What reading a damaged archive raises.
DAMAGED_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def check_output(path: Path, force: bool, replaces: Collection[str] | None = None) -> None:
    """Refuse an output path that exists (without `force`), is a device, or cannot be written.

    Args:
        path: file or folder to write.
        force: it may be there already.
        replaces: for a file (), for a folder the names of which one must be in it, so that force
            replaces what an earlier call wrote and no person's own folder; None asks for nothing.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise EdgecrnnError(
                f"{path}: expected a file or a folder to write, got a device or a pipe; "
                "choose another path"
            )
        if path.exists() and not force:
            raise EdgecrnnError(
                f"{path}: expected a path that does not exist yet, got one that does; "
                "choose another, or replace it with --force"
            )
        if path.exists() and replaces is not None:
            _check_replaced(path, replaces)
        parent = path.absolute().parent
        while not parent.exists():
            parent = parent.parent
        if not parent.is_dir():
            raise EdgecrnnError(
                f"{path}: expected a folder at {parent}, got a file; choose another path"
            )
        # Permissions do not tell: root has them in /proc too. What can be made can be written.
        Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=parent)).rmdir()
    except OSError as error:
        raise EdgecrnnError(
            f"{path}: expected a path that can be written, got {error.strerror!r}; "
            "choose another path"
        ) from error


def _check_replaced(path: Path, names: Collection[str]) -> None:
    """Refuse to replace a file by a folder, a folder by a file, or a folder of other things."""
    if path.is_dir() != bool(names):
        expected, got = ("folder", "file") if names else ("file", "folder")
        raise EdgecrnnError(
            f"{path}: expected a {expected} to replace, got a {got}; choose another path"
        )
    inside = {entry.name for entry in path.iterdir()} if names else set()
    if inside and inside.isdisjoint(names):
        raise EdgecrnnError(
            f"{path}: expected a folder with {' or '.join(names)} to replace, got one with "
            f"{min(inside)!r}; choose another path"
        )


def write_file(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, sync, and rename over it.

    Raises:
        EdgecrnnError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise EdgecrnnError(f"{path}: could not be written ({error.strerror})") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path` that takes its name when the block succeeds.

    A folder that already has the name is replaced, where a link leads to it the one it leads to;
    where the block fails it is left untouched.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside, old = (path.with_name(f".{path.name}.{secrets.token_hex(4)}") for _ in range(2))
    beside.mkdir()
    try:
        yield beside
        if path.exists():
            os.replace(path, old)
        os.replace(beside, path)
        sync_folder(path.parent)
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
