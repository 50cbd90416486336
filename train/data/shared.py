"""Files whose contents stand in two places, and classes that a split lacks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.layout import Item, Layout

_NOTED, _LISTED = 3, 10  # pairs named in a note, in a refusal
# Files of a class in train and val with which every training of a cross-validation has one.
_FOLDABLE = 3


def same_files(layout: Layout) -> list[list[Item]]:
    """Each group of items whose contents are identical, in the layout's order."""
    by_digest: dict[str, list[Item]] = {}
    for item in layout.items:
        by_digest.setdefault(item.digest, []).append(item)
    return [group for group in by_digest.values() if len(group) > 1]


def shared_notes(layout: Layout) -> tuple[str, ...]:
    """Sentences on files that stand in two places with the same contents."""
    same = same_files(layout)
    notes = []
    for differs, where in (("label", "under two classes"), ("split", "in two splits")):
        groups = [g for g in same if len({getattr(item, differs) for item in g}) > 1]
        if groups:
            names = [" = ".join(map(layout.name, group)) for group in groups]
            times = "once" if len(groups) == 1 else f"{len(groups)} times"
            notes.append(f"{times} the same file stands {where}: {_listed(names, _NOTED)}")
    return tuple(notes)


def refuse_shared(layout: Layout, allow: bool) -> None:
    """Raise `EdgecrnnError` where a file of val or test is also one of train, unless allowed."""
    if allow:
        return
    pairs = []
    for group in same_files(layout):
        train = [item for item in group if item.split == "train"]
        pairs += [(train[0], item) for item in group if train and item.split != "train"]
    if pairs:
        names = [f"{layout.name(other)} = {layout.name(one)}" for one, other in pairs]
        raise EdgecrnnError(
            f"{layout.root}: expected no file of train in val or test, got {len(pairs)}: "
            f"{_listed(names, _LISTED)}; a score on what was trained on says nothing: delete them "
            f"from one of the splits (edgecrnn data check {layout.root} shows all), or go on with "
            "--allow-shared"
        )


def missing_notes(root: Path, counts: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    """Sentences on classes that val or test has no file of.

    Where val lacks some and there are enough files for folds, cross-validation is offered.

    Args:
        root: the data folder.
        counts: files by split and class.
    """
    told = {
        "val": "when to stop and where to say unknown is chosen without it",
        "test": "the score leaves it out",
    }
    notes = []
    for split, loss in told.items():
        gone = [name for name, count in counts.get(split, {}).items() if not count]
        if gone:
            names = _listed([repr(name) for name in gone], _LISTED)
            mend = "record more of it"
            held = [counts.get("train", {}).get(name, 0) for name in gone]
            if split == "val" and min(held) >= _FOLDABLE:
                command = f"edgecrnn crossval {shlex.quote(str(root))} --out FOLDS"
                mend += f", or judge every file of train and val once by {command}"
            notes.append(f"{split} has no file of {names}: {loss}; {mend}")
    return tuple(notes)


def _listed(names: list[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return "; ".join(names[:most]) + more
