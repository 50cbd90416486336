"""Writing so that a kill leaves the old file or the new one, never a half of either."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def check_output(path: Path, force: bool) -> None:
    """Refuse an output path that exists (without `force`) or cannot be written."""
    if path.exists() and not force:
        raise EdgecrnnError(
            f"{path}: expected a path that does not exist yet, got one that does; "
            "choose another with --out or replace it with --force"
        )
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise EdgecrnnError(
            f"{path}: expected a folder at {parent}, got a file; choose another --out"
        )
    if not os.access(parent, os.W_OK):
        raise EdgecrnnError(
            f"{path}: expected to be able to write in {parent}, got permission denied; "
            "choose another --out"
        )


def write_file(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, sync, and rename over it.

    Raises:
        EdgecrnnError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise EdgecrnnError(f"{path}: could not be written ({error.strerror})") from error
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path` that takes its name when the block succeeds.

    A folder that already has the name is replaced; where the block fails it is left untouched.
    """
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    beside.mkdir()
    try:
        yield beside
        old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
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
