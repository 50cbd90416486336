"""Reads a data folder that may not be fit for training: that is one of the findings then."""

from __future__ import annotations

from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.check.finding import Finding
from edgecrnn.train.data.digests import file_digest
from edgecrnn.train.data.layout import SPLITS, Item, Layout, read_layout
from edgecrnn.train.data.names import natural_key
from edgecrnn.train.data.scan import one_kind, scan


def read_folder(root: Path, seed: int) -> tuple[Layout, tuple[Finding, ...]]:
    """The folder as training would take it; where it would not, as it lies there.

    Args:
        root: [split/]class/file, or files with labels beside them.
        seed: of the split that is made where there is none.

    Returns:
        The layout, and why training refuses the folder if it does.

    Raises:
        EdgecrnnError: there are no classes with pictures or clips to be read.
    """
    try:
        return read_layout(root, seed), ()
    except EdgecrnnError as error:
        layout = _as_it_lies(root, error)
        what, _, remedy = str(error).removeprefix(f"{root}: ").rpartition("; ")
        return layout, (Finding("refused", "serious", f"training refuses it: {what}", remedy),)


def _as_it_lies(root: Path, refusal: EdgecrnnError) -> Layout:
    """Every file in class folders, in the split it is in; in train where there are no splits."""
    try:
        found = list(scan(root)) if root.is_dir() else []
        kind = one_kind(root, found) if found else ""
    except (EdgecrnnError, OSError):
        raise refusal from None
    if not found:
        raise refusal
    names = tuple(sorted({file.label for file in found}, key=natural_key))
    items = [
        Item(file.path, names.index(file.label), file.split or "train", file_digest(file.path))
        for file in found
    ]
    items.sort(key=lambda i: (SPLITS.index(i.split), i.label, natural_key(i.path.name)))
    sets = tuple((number,) for number in range(len(names)))
    return Layout(root, kind, "classify", names, sets, tuple(items), made_split=False)
