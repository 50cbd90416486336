"""Opens a bundle of doubtful origin, and watches that nothing is written meanwhile."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.errors import EdgecrnnError

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "os.truncate"}
_watched: list[list[str]] = []


def _note(event: str, args: tuple[Any, ...]) -> None:
    """Python tells every file that it opens; an audit hook stays for good, so it asks first."""
    if _watched and (event in _CHANGES or (event == "open" and int(args[2]) & _WRITING)):
        _watched[-1].append(f"{event} {args[0]}")


sys.addaudithook(_note)


def opened(path: Path) -> Bundle | str:
    """What `open_bundle` gives, or its sentence; whatever it does, it writes nothing."""
    _watched.append([])
    try:
        return open_bundle(path)
    except EdgecrnnError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return str(error)
    finally:
        assert _watched.pop() == []


def refused(path: Path) -> str:
    result = opened(path)
    assert isinstance(result, str)
    return result


def packed(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)


def unpacked(path: Path, files: Mapping[str, bytes]) -> None:
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)
