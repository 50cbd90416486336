"""Where everything lies on the board, and the lock under which it changes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.board.release import RELEASE, Release, checked_id
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import not_written

# A person who flashes waits this long for another one's step to end; a step takes a few seconds.
_PATIENCE = 30.0  # s
_GLANCE = 0.2  # s


@dataclass(frozen=True)
class Board:
    """The folder that edgecrnn lives in on the board; its parts by their names."""

    root: Path

    @property
    def environments(self) -> Path:
        """Virtual environments by their ids; one is whole once it holds a file `complete`."""
        return self.root / "environments"

    @property
    def current(self) -> Path:
        """Link to the release that runs."""
        return self.root / "current"

    @property
    def previous(self) -> Path:
        """Link to the release that ran before it."""
        return self.root / "previous"

    @property
    def trusted(self) -> Path:
        """Public keys whose signatures are believed."""
        return self.root / "trusted.json"

    @property
    def state(self) -> Path:
        """Which release was proven, which is on trial, and why the last was taken back."""
        return self.root / "state.json"

    @property
    def logs(self) -> Path:
        """Folder of run.log and flash.log."""
        return self.root / "log"

    def incoming(self, name: str) -> Path:
        """Folder of a release that is being sent; nothing in it is trusted."""
        return self.root / "incoming" / checked_id(name)

    def release(self, name: str) -> Path:
        """Folder of a release that was proven; never changed."""
        return self.root / "releases" / checked_id(name)

    def environment(self, name: str) -> Path:
        """Folder of a virtual environment."""
        return self.environments / checked_id(name, "environment")

    def releases(self) -> list[str]:
        """Ids of the releases that are installed, the oldest first."""
        folder = self.root / "releases"
        found = [entry for entry in folder.iterdir() if _is_id(entry)] if folder.is_dir() else []
        return [entry.name for entry in sorted(found, key=lambda each: each.stat().st_mtime)]

    def linked(self, link: Path) -> str | None:
        """Id of the release that `current` or `previous` leads to; None where there is none."""
        try:
            name = link.readlink().name
        except OSError:
            return None
        return name if self.release(name).is_dir() else None

    def read_release(self, name: str) -> Release:
        """What an installed release is.

        Raises:
            EdgecrnnError: there is none of that id, or its release.json is damaged.
        """
        return read_release(self.release(name))


def read_release(folder: Path) -> Release:
    """The release.json of a folder.

    Raises:
        EdgecrnnError: it cannot be read or is something else.
    """
    file = folder / RELEASE
    try:
        return Release.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise EdgecrnnError(
            f"{file}: expected a release, got {error.strerror}; see edgecrnn status"
        ) from error


@contextlib.contextmanager
def locked(board: Board, doing: str, patience: float = _PATIENCE) -> Iterator[None]:
    """Have the board to oneself; a lock ends with its process, however that ends.

    Args:
        board: where.
        doing: what for, in a word or two; the one who waits in vain is told.
        patience: seconds to wait for another.

    Raises:
        EdgecrnnError: another one holds it for longer, or the folder cannot be written.
    """
    file = board.root / "lock"
    try:
        board.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise not_written(file, error) from error
    try:
        _take(descriptor, file, patience)
        os.ftruncate(descriptor, 0)
        holder = {"pid": os.getpid(), "doing": doing, "from": os.environ.get("SSH_CLIENT", "")}
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, file: Path, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() < until:
                time.sleep(_GLANCE)
                continue
            raise EdgecrnnError(
                f"{file}: expected the board to be free, got {_holder(descriptor)} for over "
                f"{patience:g} s; wait until that has ended"
            ) from error


def _holder(descriptor: int) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        said = json.loads(os.pread(descriptor, 4096, 0))
        where = str(said.get("from", "")).partition(" ")[0]
        came = f" from {where}" if where else ""
        return f"somebody{came} who holds it to {said.get('doing')} (process {said.get('pid')})"
    return "another process that holds it"


def _is_id(entry: Path) -> bool:
    try:
        checked_id(entry.name)
    except EdgecrnnError:
        return False
    return entry.is_dir()
