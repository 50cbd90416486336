"""A table: one row a result, one column a label's score."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks._lines import LineFile
from edgecrnn.runtime.sinks._sink import Stream, Takes

WHAT = "csv:FILE"
TAKES: Takes = "results"
_COLUMNS = ("time", "source", "frame", "label", "score", "latency_ms")


def matches(spec: str) -> bool:
    """`csv:` and a path."""
    return spec.startswith("csv:")


def open_sink(spec: str, stream: Stream) -> Table:
    """Append to the file; a new one begins with the columns' names.

    Raises:
        EdgecrnnError: it cannot be written, or begins with other columns.
    """
    path = spec.removeprefix("csv:")
    if not path:
        raise EdgecrnnError("sink: expected csv:FILE, got no file; name one")
    head = _row((*_COLUMNS, *stream.labels))
    return Table(LineFile(Path(path), head, head), stream.source)


class Table:
    """Writes one row a result, whole rows only."""

    def __init__(self, file: LineFile, source: str):
        self._file, self._source = file, source

    def write(self, result: Result, frame: Frame) -> None:
        """Append the result's row."""
        row = (
            f"{result.time:.3f}",
            self._source,
            str(result.frame),
            result.label,
            f"{result.score:.4f}",
            f"{result.latency_ms:.3f}",
            *(f"{score:.4f}" for score in result.scores),
        )
        self._file.write(_row(row))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _row(values: Iterable[str]) -> bytes:
    """One line as RFC 4180 has it; a line break in a name becomes a space."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(" ".join(v.splitlines()) for v in values)
    return text.getvalue().encode(errors="replace")
