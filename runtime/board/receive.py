"""What has come so far of a release that is being sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.board.release import FILES
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import file_sha256
from edgecrnn.runtime.settings import check, from_mapping, setting


@dataclass(frozen=True)
class Expected:
    """A file as the sender has it."""

    sha256: str = setting("", "hexadecimal")
    size: int = setting(0, "of the file", unit="bytes", least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Received:
    """What is there of the expected files.

    Attributes:
        missing: names of which nothing is there.
        partial: names of which a part is there, with its size in bytes.
        wrong: names whose content was another; they were deleted.
    """

    missing: tuple[str, ...]
    partial: Mapping[str, int]
    wrong: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every file is there as it was sent."""
        return not (self.missing or self.partial or self.wrong)


def parse_expected(data: bytes) -> dict[str, Expected]:
    """The sender's list: {"files": {name: {"sha256", "size"}}}.

    Raises:
        EdgecrnnError: it is something else, or names a file that a release does not have.
    """
    try:
        files = json.loads(data)["files"]
        for name in files:
            if name not in FILES:
                raise EdgecrnnError(
                    f"stdin: expected the files {', '.join(FILES)}, got {name!r:.60}"
                )
        return {name: from_mapping(Expected, each, name) for name, each in files.items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise EdgecrnnError(
            'stdin: expected {"files": {name: {"sha256", "size"}}}, got something else'
        ) from error


def receive_check(folder: Path, expected: Mapping[str, Expected]) -> Received:
    """Compare what came with what was sent; what cannot become it is deleted.

    Args:
        folder: of the incoming release.
        expected: by name.
    """
    missing, partial, wrong = [], {}, []
    for name, wanted in expected.items():
        file = folder / name
        # A link is not followed: it may lead out of the folder.
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise EdgecrnnError(
                f"{file}: expected a file, got a link or a folder; remove it on the board"
            )
        size = file.stat().st_size if file.exists() else None
        if size is None:
            missing.append(name)
        elif size < wanted.size:
            partial[name] = size
        elif size > wanted.size or file_sha256(file) != wanted.sha256:
            file.unlink()
            wrong.append(name)
    return Received(tuple(missing), partial, tuple(wrong))
