"""Where frames come from: one module an entry, found by being in this folder."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import cast

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Source, SourceEntry, SourceSettings
from edgecrnn.runtime.urls import without_password

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def source_entries() -> list[SourceEntry]:
    """Every module of this folder, by name; what begins with an underscore is none."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return [cast(SourceEntry, importlib.import_module(f"{__name__}.{name}")) for name in names]


def open_source(spec: str, settings: SourceSettings) -> Source:
    """Open what `--source spec` means.

    Raises:
        EdgecrnnError: no kind of source is written like that, or it is not there.
    """
    entries = source_entries()
    for entry in entries:
        if entry.matches(spec):
            return entry.open_source(spec, settings)
    known = ", ".join(entry.WHAT for entry in entries)
    raise EdgecrnnError(f"source: expected {known}; got {without_password(spec)!r}")


def has_scheme(spec: str, scheme: str) -> bool:
    """Whether `spec` begins with `scheme:` and is no file of that name."""
    return spec.startswith(f"{scheme}:") and not is_there(Path(spec))


def camera_number(spec: str) -> int:
    """The number in `kind:N`; 0 where there is none.

    Raises:
        EdgecrnnError: it is no number.
    """
    kind, _, number = spec.partition(":")
    if not number:
        return 0
    if not (number.isascii() and number.isdecimal()) or len(number) > 3:
        raise EdgecrnnError(f"source: expected {kind}:N with a camera's number, got {spec!r}")
    return int(number)


def is_path(spec: str) -> bool:
    """Whether `spec` can only be a file or folder: no camera, no address, no `scheme:`."""
    if not spec or "://" in spec or is_camera(spec):
        return False
    return not _SCHEME.match(spec) or is_there(Path(spec))


def is_there(path: Path) -> bool:
    """Whether the path exists; False too where it cannot be one (too long, a null byte)."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_folder(spec: str) -> bool:
    """Whether `spec` is a folder that exists."""
    return is_path(spec) and is_there(Path(spec)) and Path(spec).is_dir()


def is_camera(spec: str) -> bool:
    """Whether `spec` is a camera index or /dev/videoN."""
    number = spec.removeprefix("/dev/video")
    return number.isascii() and number.isdecimal()
