"""The labels file: one name a line, in the order of the model's scores."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError


def read_labels(path: Path) -> tuple[str, ...]:
    """The names in the file.

    Raises:
        EdgecrnnError: it is missing, no text, empty, or a line is empty or stands there twice.
    """
    what = f"{path}: expected a text file with one label a line, in the order of the model's scores"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise EdgecrnnError(f"{what}, got {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise EdgecrnnError(f"{what}, got something that is not UTF-8 text") from error
    labels = tuple(line.strip() for line in text.rstrip().splitlines())
    if not labels:
        raise EdgecrnnError(f"{what}, got an empty file")
    if "" in labels:
        raise EdgecrnnError(f"{what}, got an empty line {labels.index('') + 1}; remove it")
    name, count = Counter(labels).most_common(1)[0]
    if count > 1:
        raise EdgecrnnError(
            f"{path}: expected different labels, got {name!r} {count} times; rename them"
        )
    return labels
