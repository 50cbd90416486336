"""SHA-256 of files, remembered: what has the size and the times it had is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import file_sha256, write_file
from edgecrnn.train.data.scan import frame_files

# Nanoseconds. A file changed again within a tick of its disk's clock keeps its time (2 s on FAT):
# what is younger is not remembered, as git does with its index.
_SETTLED = 2_000_000_000
_Facts = list[int]  # size, times of the last change of content and of anything, inode


class Digests:
    """Digests of the files below a folder.

    The time of the last change of anything (ctime) cannot be set: a file that is replaced under
    its old name, size and date is read again.

    Args:
        root: the folder.
        kept: file that they are remembered in; damaged or not there is as good as empty.
    """

    def __init__(self, root: Path, kept: Path) -> None:
        self._root, self._kept = root.resolve(), kept
        self._known = _read(kept)
        self._seen: dict[str, tuple[_Facts, str]] = {}

    def __call__(self, path: Path) -> str:
        """Hexadecimal SHA-256 of a file's bytes, or of the pictures of a clip kept as a folder.

        Raises:
            EdgecrnnError: it cannot be read.
        """
        try:
            if path.is_dir():
                parts = "".join(map(self, frame_files(path)))
                return hashlib.sha256(parts.encode()).hexdigest()
            return self._file(path)
        except OSError as error:
            raise EdgecrnnError(f"{path}: could not be read ({error.strerror})") from error

    def save(self) -> None:
        """Remember them for the next time; where the disk does not want to, nothing is lost."""
        if self._seen == self._known or not self._seen:
            return
        text = json.dumps({name: [*facts, digest] for name, (facts, digest) in self._seen.items()})
        with contextlib.suppress(EdgecrnnError):
            write_file(self._kept, text.encode())

    def _file(self, path: Path) -> str:
        name = os.path.relpath(path.absolute(), self._root)
        facts = _facts(path)
        known, digest = self._seen.get(name) or self._known.get(name) or (None, "")
        if known != facts:
            now = time.time_ns()
            digest = file_sha256(path)
            if not now - max(facts[1:3]) > _SETTLED:
                return digest
        self._seen[name] = (facts, digest)
        return digest


def digests_of(root: Path, cache: Path) -> Digests:
    """The digests of a data folder, remembered below the folder of the cache."""
    key = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
    return Digests(root, cache / "digests" / f"{key}.json")


def file_digest(path: Path) -> str:
    """The digest of one file, or of a clip kept as a folder, read in any case.

    Raises:
        EdgecrnnError: it cannot be read.
    """
    return Digests(path.parent, Path(os.devnull))(path)


def _facts(path: Path) -> _Facts:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _read(kept: Path) -> dict[str, tuple[_Facts, str]]:
    try:
        read = json.loads(kept.read_text(encoding="utf-8"))
        return {
            name: (list(map(int, facts)), str(digest)) for name, (*facts, digest) in read.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
