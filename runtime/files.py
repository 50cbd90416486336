"""Writing so that a kill leaves the old file or the new one, never a half of either."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import re
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

# Of Linux's renameat2.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, however large."""
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


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
    try:
        with _parents(path):
            sweep(path)
            with _beside(path, folder=False) as (beside, descriptor):
                with open(descriptor, "wb", closefd=False) as file:
                    file.write(data)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(beside, path)
            sync_folder(path.parent)
    except OSError as error:
        raise not_written(path, error) from error


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path` that takes its name when the block succeeds.

    A folder that already has the name is replaced, where a link leads to it the one it leads to;
    where the block fails it is left untouched.
    """
    path = path.resolve()
    with folder_beside(path) as beside:
        yield beside
        # Until its files are synced, a power cut could leave empty ones under the new name.
        for folder, _, files in os.walk(beside):
            for name in files:
                sync_file(Path(folder) / name)
            sync_folder(Path(folder))
        _take_place(beside, path)
        sync_folder(path.parent)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path` to make something in; the end removes it."""
    with _parents(path):
        sweep(path)
        with _beside(path, folder=True) as (beside, _):
            yield beside


def move_over(made: Path, path: Path) -> None:
    """Sync a file that is whole and give it the name `path`, on the same file system."""
    sync_file(made)
    os.replace(made, path)
    sync_folder(path.parent)


@contextlib.contextmanager
def _parents(path: Path) -> Iterator[None]:
    """Make the folders that `path` lies in; those made go again where the block fails."""
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for folder in missing:
                folder.rmdir()
        raise


@contextlib.contextmanager
def _beside(path: Path, folder: bool) -> Iterator[tuple[Path, int]]:
    """Make a file or a folder next to `path` (its path, a descriptor); the end removes it.

    It is locked. A lock ends with its process, so what lies there without one was left by a kill.
    """
    while True:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        if folder:
            beside.mkdir()
            descriptor = os.open(beside, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        else:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(beside, flags, 0o666)
        try:
            # Where a file system knows no locks, nothing can be swept either.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Another process may have swept it in the moment before it was locked.
            if beside.exists():
                yield beside, descriptor
                return
        finally:
            _remove(beside)
            os.close(descriptor)


def sweep(path: Path) -> None:
    """Remove what killed processes left beside `path`: half a file, half a folder, the old one."""
    left = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}")
    for entry in path.parent.iterdir():
        if not left.fullmatch(entry.name):
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(entry, os.O_RDWR if entry.is_file() else os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(entry)
            finally:
                os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _take_place(beside: Path, path: Path) -> None:
    """Give `beside` the name `path`; what had it is then called `beside`, if it is there still."""
    if not path.exists():
        os.replace(beside, path)
    elif not _exchange(beside, path):
        # Here a kill between the two renames leaves nothing under the name, but both whole.
        old = path.with_name(f"{beside.name}.old")
        os.replace(path, old)
        os.replace(beside, path)
        _remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where kernel, C library or file system cannot."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    return swap is not None and swap(*names, _RENAME_EXCHANGE) == 0


def not_written(path: Path, error: OSError) -> EdgecrnnError:
    """The sentence for a path that could not be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    mend = "; free some space and start again" if full else ""
    return EdgecrnnError(f"{path}: could not be written ({error.strerror}){mend}")


def sync_file(path: Path) -> None:
    """Have a file's bytes on the disk; some file systems say only now that there is no room."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    sync_file(folder)
