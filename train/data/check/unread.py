"""Files that look like data and that training does not see: another format, or another place."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from edgecrnn.train.data.check.finding import Entry, Finding, counted, listed
from edgecrnn.train.data.labels_file import FILES
from edgecrnn.train.data.layout import Layout
from edgecrnn.train.data.scan import kind_of

# What phones, cameras and browsers save and `scan` does not take.
_OTHER_FORMATS = (
    ".3gp", ".arw", ".avif", ".cr2", ".dng", ".flv", ".gif", ".heic", ".heif", ".jfif", ".jp2",
    ".m2ts", ".m4v", ".mpeg", ".mpg", ".mts", ".nef", ".tif", ".tiff", ".ts", ".webm", ".wmv",
)  # fmt: skip


def unread_findings(layout: Layout) -> tuple[Finding, ...]:
    """Findings on files below the folder that are no item of it; hidden ones are meant to be."""
    items = {item.path for item in layout.items}
    formats: list[Path] = []
    outside: list[tuple[Path, str]] = []
    for path in _files(layout.root):
        if path.suffix.lower() in _OTHER_FORMATS:
            formats.append(path)
        elif kind_of(path) and path not in items and path.parent not in items:
            outside.append((path, _why(path, layout)))
    return (*_other_formats(layout.root, formats), *_outside(layout.root, outside))


def _files(root: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith((".", "__")))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder) / name


def _why(path: Path, layout: Layout) -> str:
    if not path.exists():
        return "a link to nothing"
    if layout.task != "classify":
        return f"not named in {FILES[0]}"
    if path.parent == layout.root:
        return "in no class folder"
    return "not where a class's files are looked for"


def _other_formats(root: Path, paths: list[Path]) -> Iterator[Finding]:
    if not paths:
        return
    counts = Counter(path.suffix.lower() for path in paths).most_common()
    yield Finding(
        "unread",
        "warning",
        f"{counted(len(paths), 'file')} in a format that is not read: "
        + listed([f"{suffix} ({count:,})" for suffix, count in counts]),
        "convert pictures to jpg or png and clips to mp4 (ffmpeg -i FILE.webm FILE.mp4), or "
        "delete them",
        tuple(Entry((path.relative_to(root).as_posix(),)) for path in paths),
    )


def _outside(root: Path, found: list[tuple[Path, str]]) -> Iterator[Finding]:
    if not found:
        return
    yield Finding(
        "unread",
        "warning",
        f"{counted(len(found), 'file')} that training does not see, by the place",
        "put each into [split/]class/, or name it in the labels file; or delete it",
        tuple(Entry((path.relative_to(root).as_posix(),), why) for path, why in found),
    )
