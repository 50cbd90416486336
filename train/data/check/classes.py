"""What is wrong with the classes: too few files, too unequal, none in a split, one in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgecrnn.train.data.check.finding import Entry, Finding, counted, listed
from edgecrnn.train.data.check.reading import Reading
from edgecrnn.train.data.layout import SPLITS, Layout
from edgecrnn.train.data.names import recording
from edgecrnn.train.data.scan import stem_of

_TINY = 10  # files of a class in train
_UNEQUAL = 5.0  # times as many files of one class as of another
_COARSE = 30  # files of val or test below which one of them moves the score by several points

Counts = Mapping[str, Mapping[str, int]]


def class_counts(layout: Layout, readings: Sequence[Reading]) -> dict[str, dict[str, int]]:
    """Files that can be decoded, by split and class; all classes in each split there is."""
    present = [s for s in SPLITS if any(item.split == s for item in layout.items)]
    counts = {split: dict.fromkeys(layout.labels, 0) for split in present}
    for reading in readings:
        if not reading.error:
            for number in layout.sets[reading.item.label]:
                counts[reading.item.split][layout.labels[number]] += 1
    return counts


def class_findings(layout: Layout, readings: Sequence[Reading]) -> tuple[Finding, ...]:
    """Findings on the number of files in each class and split."""
    counts = class_counts(layout, readings)
    found = [*_missing(counts), _tiny(counts, layout), _unequal(counts, layout)]
    found += [_recordings(layout), *_coarse(layout, readings), _made(layout)]
    return tuple(finding for finding in found if finding is not None)


def _missing(counts: Counts) -> list[Finding | None]:
    remedies = {
        "train": "add files of it to train, or delete it from the other splits",
        "val": "move a few recordings of it there: when to stop and where to say unknown is "
        "chosen on val",
        "test": "move a few recordings of it there: the score says nothing of it",
    }
    found: list[Finding | None] = []
    for split, by_class in counts.items():
        gone = [name for name, count in by_class.items() if not count]
        if gone:
            # Without any the epoch cannot be chosen.
            needed = split == "train" or (split == "val" and len(gone) == len(by_class))
            severity = "serious" if needed else "warning"
            title = f"{split} has no file of {listed(gone)}"
            found.append(Finding("missing", severity, title, remedies[split]))
    return found


def _tiny(counts: Counts, layout: Layout) -> Finding | None:
    train = counts.get("train", {})
    tiny = [f"{name} ({count})" for name, count in train.items() if 0 < count < _TINY]
    if not tiny:
        return None
    return Finding(
        "tiny",
        "warning",
        f"fewer than {_TINY} {layout.kind} to train on of {listed(tiny)}",
        "record more of it, on different days and in different light; until then do not trust "
        "its score",
    )


def _unequal(counts: Counts, layout: Layout) -> Finding | None:
    train = {name: count for name, count in counts.get("train", {}).items() if count}
    if layout.task != "classify" or len(train) < 2:
        return None
    most, least = (pick(train, key=train.__getitem__) for pick in (max, min))
    if train[most] < _UNEQUAL * train[least]:
        return None
    return Finding(
        "unequal",
        "warning",
        f"{train[most] / train[least]:.0f} times as many {layout.kind} of {most} "
        f"({train[most]:,}) as of {least} ({train[least]:,})",
        "train with --balanced, and read the score of each class, not the one of all",
    )


def _coarse(layout: Layout, readings: Sequence[Reading]) -> list[Finding | None]:
    found: list[Finding | None] = []
    for split in SPLITS[1:]:
        count = sum(1 for r in readings if not r.error and r.item.split == split)
        if 0 < count < _COARSE:
            one = layout.kind.removesuffix("s")
            found.append(
                Finding(
                    "coarse",
                    "note",
                    f"{split} has {counted(count, one)}: each moves its score by "
                    f"{100 / count:.0f} points",
                    "read the score's 95 % interval, and record more",
                )
            )
    return found


def _recordings(layout: Layout) -> Finding | None:
    """Parts of one recording, by their names, on two sides."""
    if layout.made_split:
        return None
    parts: dict[str, list[tuple[str, str]]] = {}
    for item in layout.items:
        base = recording(stem_of(item.path))
        if base:
            parts.setdefault(base, []).append((item.split, layout.name(item)))
    entries = []
    for base, members in parts.items():
        first = dict(reversed(members))
        if len(first) > 1:
            entries.append(Entry(tuple(first[s] for s in SPLITS if s in first), base))
    if not entries:
        return None
    return Finding(
        "recordings",
        "warning",
        f"{counted(len(entries), 'recording')} with parts in two splits, by the names",
        "move all parts of a recording into one split: the score is too good otherwise",
        tuple(entries),
    )


def _made(layout: Layout) -> Finding | None:
    if not layout.made_split:
        return None
    return Finding(
        "made-split",
        "note",
        "training makes a split that is missing, by its --seed: the counts are of that one",
        "better give train, val and test as folders, with other days or places in test",
    )
