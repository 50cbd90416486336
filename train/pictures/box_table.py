"""Reads boxes.csv: what is in each picture, and where, in pixels."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError

BOXES = "boxes.csv"
COLUMNS = ("file", "left", "top", "width", "height", "label")
Row = Mapping[str, str]


def read_rows(table: Path) -> dict[str, list[Row]]:
    """The rows by picture, each with its line's number; spaces around values do not count.

    Raises:
        EdgecrnnError: it is no such table, or a row has not a value for each column.
    """
    try:
        # Spreadsheets put a byte order mark before the first name.
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            names = tuple(each.strip() for each in next(lines, []))
            if names != COLUMNS:
                raise EdgecrnnError(
                    f"{table}: expected the columns {','.join(COLUMNS)}, got "
                    f"{','.join(names) or 'none'}"
                )
            rows: dict[str, list[Row]] = {}
            for line in lines:
                values = [each.strip() for each in line]
                if not any(values):
                    continue
                if len(values) != len(COLUMNS) or not values[0] or not values[-1]:
                    raise EdgecrnnError(
                        f"{table} line {lines.line_num}: expected {', '.join(COLUMNS)}, got "
                        f"{','.join(line)}"
                    )
                row = dict(zip(COLUMNS, values, strict=True), line=str(lines.line_num))
                rows.setdefault(row["file"], []).append(row)
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EdgecrnnError(f"{table}: expected a CSV in UTF-8, got {error}") from error


def box_of(path: Path, row: Row, labels: tuple[str, ...]) -> tuple[float, ...]:
    """(left, top, width, height, number of the class), in pixels of the picture.

    Raises:
        EdgecrnnError: these are no numbers, or no box.
    """
    try:
        left, top, width, height = (float(row[name]) for name in COLUMNS[1:5])
    except ValueError as error:
        raise EdgecrnnError(
            f"{BOXES} line {row['line']}: expected numbers for the box in {path.name}, got {error}"
        ) from error
    if not (width > 0 and height > 0 and left >= 0 and top >= 0):
        raise EdgecrnnError(
            f"{BOXES} line {row['line']}: expected a box inside {path.name}, got left {left:g}, "
            f"top {top:g}, width {width:g}, height {height:g}"
        )
    return left, top, width, height, float(labels.index(row["label"]))
