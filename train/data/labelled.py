"""Finds files with labels beside them: one table for all, or one in each split's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest
from edgecrnn.train.data.labels_file import FILES, LabelTable, find_tables, read_table


@dataclass(frozen=True)
class LabelledFile:
    """One file and what is true of it."""

    path: Path
    labels: frozenset[str]
    split: str | None


@dataclass(frozen=True)
class Labelled:
    """All files that the tables name, and the labels that they know."""

    names: tuple[str, ...]
    files: tuple[LabelledFile, ...]


def read_labelled(root: Path, splits: Mapping[str, str]) -> Labelled | None:
    """What the tables below `root` say; None where there are none.

    Args:
        root: the data folder.
        splits: how the folders of splits may be called, and which split each is.

    Raises:
        EdgecrnnError: a table is damaged, a split has none, or two tables know other labels.
    """
    folders = {
        path: splits[path.name.lower()]
        for path in sorted(root.iterdir())
        if path.is_dir() and path.name.lower() in splits
    }
    tables = {path: find_tables(path) for path in folders}
    of_root = find_tables(root)
    if of_root:
        return _of_one(read_table(of_root[0]), splits)
    if not any(tables.values()):
        return None
    for folder, found in tables.items():
        if not found:
            raise EdgecrnnError(
                f"{folder}: expected {' or '.join(FILES)} as in the other splits, got none; add it"
            )
    read = {folder: read_table(found[0]) for folder, found in tables.items()}
    names = _same_names(list(read.values()))
    files = [
        LabelledFile(folder / file, true, folders[folder])
        for folder, table in read.items()
        for file, true in table.labels.items()
    ]
    return Labelled(names, tuple(files))


def _of_one(table: LabelTable, splits: Mapping[str, str]) -> Labelled:
    """Files below the table; the first part of their path may name the split."""
    found = []
    for file, true in table.labels.items():
        first = Path(file).parts[0].lower() if len(Path(file).parts) > 1 else ""
        found.append(LabelledFile(table.path.parent / file, true, splits.get(first)))
    given = {each.split is not None for each in found}
    if len(given) == 2:
        outside = next(each for each in found if each.split is None)
        raise EdgecrnnError(
            f"{table.path}: expected either all files in split folders (train, val, test) or none, "
            f"got {outside.path.name!r} outside of them; move it"
        )
    return Labelled(table.names, tuple(found))


def _same_names(tables: Sequence[LabelTable]) -> tuple[str, ...]:
    """The labels of the first table, in its order; the others may leave some out."""
    names = max((table.names for table in tables), key=len)
    for table in tables:
        for name in table.names:
            if name not in names:
                raise EdgecrnnError(
                    f"{table.path}: expected the labels {', '.join(names)} as in the other splits, "
                    f"got {name!r}{nearest(name, names)}"
                )
    return names
