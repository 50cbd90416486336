"""Finds the pictures and clips of a data folder: what is where, not yet what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.names import natural_key

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
CLIPS = (".mp4", ".avi", ".mkv", ".mov")
SPLIT_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
EXPECTED = (
    "expected [split/]class/file with pictures (jpg, png, bmp, webp) or clips (mp4, avi, mkv, mov)"
)


@dataclass(frozen=True)
class Found:
    """One file, and what its folders say of it."""

    path: Path
    kind: str
    label: str
    split: str | None


def scan(root: Path) -> Iterator[Found]:
    """Everything in [split/]class/file.

    Raises:
        EdgecrnnError: files without a class, or splits beside classes.
        OSError: a folder cannot be read.
    """
    folders = _folders(root)
    splits = [f for f in folders if f.name.lower() in SPLIT_NAMES]
    if splits and any(_media(f) for f in splits):
        # A class may be called 'train'; but where all are split names the classes are missing.
        if len(splits) == len(folders):
            raise EdgecrnnError(
                f"{splits[0]}: expected a folder for each class in it, got files without a "
                "class; move each file into split/class/"
            )
        splits = []
    if splits and len(splits) != len(folders):
        other = next(f.name for f in folders if f not in splits)
        raise EdgecrnnError(
            f"{root}: expected either split folders (train, val, test) or class folders, got "
            f"{splits[0].name!r} beside {other!r}; move {other!r} elsewhere"
        )
    if not splits:
        yield from _classes_in(folders, None)
    for folder in splits:
        yield from _classes_in(_folders(folder), SPLIT_NAMES[folder.name.lower()])


def _classes_in(folders: list[Path], split: str | None) -> Iterator[Found]:
    for folder in folders:
        entries = [(path, kind_of(path)) for path in _media(folder)]
        entries += [(path, "clips") for path in _folders(folder) if frame_files(path)]
        if not entries:
            raise EdgecrnnError(
                f"{folder}: expected pictures or clips of the class {folder.name!r}, found none; "
                "add some or remove the folder"
            )
        for path, kind in entries:
            yield Found(path, kind, folder.name, split)


def _folders(folder: Path) -> list[Path]:
    entries = (p for p in folder.iterdir() if not p.name.startswith((".", "__")) and p.is_dir())
    return sorted(entries, key=lambda p: natural_key(p.name))


def _media(folder: Path) -> list[Path]:
    entries = (p for p in folder.iterdir() if not p.name.startswith(".") and kind_of(p))
    return sorted((p for p in entries if p.is_file()), key=lambda p: natural_key(p.name))


def frame_files(folder: Path) -> list[Path]:
    """The pictures of a clip kept as a folder, in the order of their numbers."""
    return [p for p in _media(folder) if kind_of(p) == "pictures"]


def kind_of(path: Path) -> str:
    """Pictures or clips by the file's name, "" for neither."""
    suffix = path.suffix.lower()
    return "pictures" if suffix in PICTURES else "clips" if suffix in CLIPS else ""


def stem_of(path: Path) -> str:
    """A file's name without its suffix; that of a clip kept as a folder whole, dots and all."""
    return path.stem if kind_of(path) else path.name


def one_kind(root: Path, found: list[Found]) -> str:
    """What all of them are.

    Raises:
        EdgecrnnError: some are pictures and some clips.
    """
    first = {f.kind: f for f in reversed(found)}
    if len(first) == 2:
        picture, clip = (first[k].path.relative_to(root) for k in ("pictures", "clips"))
        raise EdgecrnnError(
            f"{root}: expected only pictures or only clips, got the picture {picture} and the "
            f"clip {clip}; keep them in two data sets"
        )
    return found[0].kind
