"""Labels beside the files: `labels.csv` or `labels.json`, for pictures with several labels each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError

FILES = ("labels.csv", "labels.json")
_FORMS = (
    "a line for each file: file,first,second with 0 or 1 for each label, or file,labels with "
    "the names separated by |"
)
_NAMED = 3  # files named in a sentence


@dataclass(frozen=True)
class LabelTable:
    """What one file of labels says."""

    path: Path
    names: tuple[str, ...]  # of the labels, in its order
    labels: Mapping[str, frozenset[str]]  # file, below the table's folder, to what is true of it


def find_tables(folder: Path) -> list[Path]:
    """The file of labels of a folder: none or one.

    Raises:
        EdgecrnnError: there are two.
    """
    found = [folder / name for name in FILES if (folder / name).is_file()]
    if len(found) > 1:
        raise EdgecrnnError(
            f"{folder}: expected one file of labels, got {found[0].name} and {found[1].name}; "
            "remove one"
        )
    return found


def read_table(path: Path) -> LabelTable:
    """Read a file of labels.

    CSV: the first column names the file, below the table's folder. The others are labels, 0 or 1;
    or there is one other, `labels`, with names separated by |. JSON: an object of lists,
    {"a.jpg": ["wagon", "indoor"], "b.jpg": []}.

    Raises:
        EdgecrnnError: it is not of that form, names a file twice, or one that is not there.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EdgecrnnError(f"{path}: expected labels as UTF-8 text, got {error}") from error
    rows = list(_json_rows(path, text) if path.suffix == ".json" else _csv_rows(path, text))
    labels: dict[str, frozenset[str]] = {}
    for file, true in rows:
        if file in labels:
            raise EdgecrnnError(f"{path}: expected each file once, got {file!r} twice")
        labels[file] = frozenset(true)
    if not labels:
        raise EdgecrnnError(f"{path}: expected {_FORMS}; got no file")
    _check_files(path, labels)
    return LabelTable(path, _names(path, text, rows), labels)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, list[str]]]:
    (_, head), *lines = _filled_lines(path, text) or [(1, [])]
    columns = [cell.strip() for cell in head]
    if len(columns) < 2 or len(set(columns)) < len(columns) or not all(columns):
        raise EdgecrnnError(f"{path}: expected {_FORMS}; got the first line {','.join(head)!r}")
    for number, row in lines:
        if len(row) != len(columns):
            raise EdgecrnnError(
                f"{path}: expected {len(columns)} values in line {number}, got {len(row)}"
            )
        file, values = row[0].strip(), [cell.strip() for cell in row[1:]]
        if columns[1:] == ["labels"]:
            yield file, [name.strip() for name in values[0].split("|") if name.strip()]
            continue
        for name, value in zip(columns[1:], values, strict=True):
            if value not in ("0", "1"):
                raise EdgecrnnError(
                    f"{path}: expected 0 or 1 for {name!r} in line {number}, got {value!r}"
                )
        yield file, [name for name, value in zip(columns[1:], values, strict=True) if value == "1"]


def _filled_lines(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """The lines of a CSV that hold something, each with its number in the file."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise EdgecrnnError(f"{path}: expected CSV, got {error}") from error


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, list[str]]]:
    def once(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return pairs

    try:
        said = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise EdgecrnnError(f"{path}: expected JSON, got {error}") from error
    form = 'expected an object of lists, {"a.jpg": ["wagon", "indoor"]}'
    if not isinstance(said, list):
        raise EdgecrnnError(f"{path}: {form}, got {type(said).__name__}")
    for pair in said:
        if not isinstance(pair, tuple):
            raise EdgecrnnError(f"{path}: {form}, got a list")
        file, names = pair
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise EdgecrnnError(f"{path}: {form}, got {names!r} for {file!r}")
        yield file, names


def _names(path: Path, text: str, rows: Sequence[tuple[str, list[str]]]) -> tuple[str, ...]:
    """The labels' names: the columns in their order, or all that occur by the alphabet."""
    if path.suffix == ".csv":
        columns = [cell.strip() for cell in _filled_lines(path, text)[0][1][1:]]
        if columns != ["labels"]:
            return tuple(columns)
    return tuple(sorted({name for _, true in rows for name in true}))


def _check_files(path: Path, labels: Mapping[str, frozenset[str]]) -> None:
    folder = path.parent.resolve()
    for file in labels:
        if not file or not (folder / file).resolve().is_relative_to(folder):
            raise EdgecrnnError(f"{path}: expected files below its folder, got {file!r}")
    missing = [file for file in labels if not (path.parent / file).exists()]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise EdgecrnnError(
            f"{path}: expected the files that it names, but {', '.join(missing[:_NAMED])}{more} "
            f"{'is' if len(missing) == 1 else 'are'} not there; add them or remove their lines"
        )
