"""A folder of clips under a size cap: each is there whole or not at all, the oldest leave first."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sync_file, sync_folder

# number-time-what: the number orders them, since a board's clock may jump.
_NAME = re.compile(r"(\d{6,})-\d{8}T\d{6}Z-.+")
_HIDDEN = ".edgecrnn-"
_MB = 1_000_000


@dataclass(frozen=True)
class _Kept:
    """A clip, or a picture, that a shelf wrote at some time."""

    path: Path
    number: int
    size: int


class Shelf:
    """Keeps clips in a folder.

    Only what a shelf has named itself counts and is ever removed; what a person renames is theirs.

    Args:
        folder: is made where it is missing.
        cap: megabytes (10^6 bytes) that the clips may take together.
        free: megabytes that must be free on the disk; nothing is written where they are not.
        first: the name of the folder in it whose clips leave before all others.

    Raises:
        EdgecrnnError: the folder cannot be written.
    """

    def __init__(self, folder: Path, cap: float, free: float, first: str = ""):
        self.folder, self._cap, self._free, self._first = folder, cap * _MB, free * _MB, first
        self._locks: dict[Path, int] = {}
        self._sizes: dict[Path, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            self.end(self._hidden())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise EdgecrnnError(
                f"{folder}: expected a folder that can be written, got {reason!s:.200}; "
                "choose another path"
            ) from error
        self._number = max((kept.number for kept in self._all()), default=0)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Path]:
        """An empty hidden folder to write into; what is left of it at the end is removed.

        Raises:
            EdgecrnnError: the disk is nearly full.
        """
        place = self.begin()
        try:
            yield place
        finally:
            self.end(place)

    def begin(self) -> Path:
        """An empty hidden folder to write into, until `end`.

        Raises:
            EdgecrnnError: the disk is nearly full.
        """
        left = shutil.disk_usage(self.folder).free
        if left < self._free:
            raise EdgecrnnError(
                f"{self.folder}: expected {self._free / _MB:g} MB left on the disk, got "
                f"{left / _MB:.0f} MB; free some"
            )
        return self._hidden()

    def end(self, place: Path) -> None:
        """Remove what is left of a folder that `begin` gave."""
        shutil.rmtree(place, ignore_errors=True)
        if (lock := self._locks.pop(place, None)) is not None:
            os.close(lock)

    def keep(self, written: Path, under: str, what: str) -> Path:
        """Give a written folder or file its name, and make room for it.

        Args:
            written: below a folder that `begin` gave, complete.
            under: name of the folder in the shelf, "" for the shelf itself.
            what: the end of its name, fit for a file system.

        Returns:
            Where it lies now.

        Raises:
            EdgecrnnError: it is larger than the cap.
            OSError: it could not be renamed.
        """
        size = _size(written)
        if size > self._cap:
            raise EdgecrnnError(
                f"{self.folder}: expected clips of at most {self._cap / _MB:g} MB in all, got one "
                f"of {size / _MB:.0f} MB; raise the cap or shorten the clips"
            )
        self._make_room(self._cap - size)
        parent = self.folder / under if under else self.folder
        if not parent.is_dir():
            parent.mkdir(exist_ok=True)
            sync_folder(self.folder)
        if not written.is_dir():
            sync_file(written)
        while True:
            self._number += 1
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            path = parent / f"{self._number:06d}-{stamp}-{what}{written.suffix}"
            if not path.exists() and _named(written, path):
                sync_folder(parent)
                return path

    def remove(self, path: Path) -> None:
        """Take a clip away, whole at once."""
        gone = self._hidden()
        with contextlib.suppress(OSError):
            os.replace(path, gone / "x")
        self.end(gone)
        self._sizes.pop(path, None)

    def _hidden(self) -> Path:
        """A folder that is locked against those who sweep, until `end`."""
        while True:
            place = Path(tempfile.mkdtemp(prefix=_HIDDEN, dir=self.folder))
            with contextlib.suppress(FileNotFoundError):
                lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                # It ends with the process, however that ends: then the next one may sweep it away.
                # Where a file system knows no locks, nothing is swept either.
                with contextlib.suppress(OSError):
                    fcntl.flock(lock, fcntl.LOCK_EX)
                if place.exists():
                    self._locks[place] = lock
                    return place
                # Swept in the moment before it was locked.
                os.close(lock)

    def _make_room(self, most: float) -> None:
        """Remove the oldest until the clips take at most so many bytes."""
        kept = self._all()
        total = sum(each.size for each in kept)
        kept.sort(key=lambda each: (each.path.parent.name != self._first, each.number))
        for each in kept:
            if total <= most:
                return
            self.remove(each.path)
            total -= each.size

    def _all(self) -> list[_Kept]:
        found = []
        for folder in (self.folder, *_folders(self.folder)):
            with contextlib.suppress(OSError):
                for path in folder.iterdir():
                    if match := _NAME.fullmatch(path.name):
                        if path not in self._sizes:
                            self._sizes[path] = _size(path)
                        size = self._sizes[path]
                        found.append(_Kept(path, int(match[1]), size))
        return found

    def _sweep(self) -> None:
        """Remove what a process left behind that was killed."""
        for path in self.folder.glob(f"{_HIDDEN}*"):
            try:
                lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                continue  # another one has just ended with it
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            except OSError:
                pass  # another process, or another stream of this one, is writing there
            finally:
                os.close(lock)


def _named(written: Path, path: Path) -> bool:
    """Give it its name; False where another stream was faster, which is never overwritten."""
    try:
        if written.is_dir():
            # Over a folder that holds anything, no rename goes.
            written.rename(path)
        else:
            os.link(written, path)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        if written.is_dir():
            raise
        # A file system without hard links.
        os.replace(written, path)
    return True


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not _NAME.match(path.name)]


def _size(path: Path) -> int:
    """Bytes that a file or the files of a folder take."""
    try:
        if not path.is_dir():
            return path.lstat().st_size
        return sum(each.lstat().st_size for each in path.iterdir())
    except OSError:
        return 0
