"""The end of a log."""

from __future__ import annotations

from pathlib import Path

# A log's line is short; a longer one costs a line before it.
_BYTES_A_LINE = 400
_LEAST = 8


def tail(file: Path, lines: int) -> list[str]:
    """The last lines of a log; none where it is not there or cannot be read."""
    try:
        with file.open("rb") as opened:
            opened.seek(0, 2)
            opened.seek(max(0, opened.tell() - _BYTES_A_LINE * max(lines, _LEAST)))
            return opened.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []
