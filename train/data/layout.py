"""Reads what a data folder holds: [split/]class/file, pictures or clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest
from edgecrnn.train.data.digests import file_digest
from edgecrnn.train.data.labelled import Labelled, read_labelled
from edgecrnn.train.data.names import natural_key
from edgecrnn.train.data.scan import (
    EXPECTED,
    SPLIT_NAMES,
    Found,
    frame_files,
    kind_of,
    one_kind,
    scan,
    stem_of,
)
from edgecrnn.train.data.split import assign, group

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Item:
    """One picture or one clip; a folder of numbered pictures is a clip."""

    path: Path
    label: int  # of `Layout.sets`: what is true of it
    split: str  # "train", "val" or "test"
    digest: str  # SHA-256 of the content, hexadecimal


@dataclass(frozen=True)
class Layout:
    """What a data folder holds, ordered by split, class and name."""

    root: Path
    kind: str  # "pictures" or "clips"
    task: str  # "classify" where each file has one label, else "multilabel"
    labels: tuple[str, ...]
    sets: tuple[tuple[int, ...], ...]  # the labels that are true together, by their numbers
    items: tuple[Item, ...]
    made_split: bool  # a split was made here rather than found

    def said(self, label: int) -> str:
        """An item's label, or its labels joined, for a person."""
        return "+".join(self.labels[i] for i in self.sets[label]) or "none"

    def name(self, item: Item) -> str:
        """The item's path below the root, with forward slashes."""
        return item.path.relative_to(self.root).as_posix()


def read_layout(
    root: Path,
    seed: int = 0,
    labels: Sequence[str] | None = None,
    digest: Callable[[Path], str] = file_digest,
) -> Layout:
    """Read `root`, number its classes and make the splits that are missing.

    Args:
        root: folder with [split/]class/file; splits are called train, val (valid, validation)
            and test.
        seed: of the split that is made.
        labels: the classes of a trained model. Given, the classes found must be among them and
            are numbered by them, a split without training data will do, and so will one class
            or one file: what no model can have been trained on is test as a whole.
        digest: of a file's content; one that remembers need not read it.

    Returns:
        The layout. Without any split 70 % train, 15 % val and 15 % test are made; from train
        alone likewise; from train and test a val of 15 % of train. Train and val without test
        stay as they are. Identical files and parts of one recording stay on one side.

    Raises:
        EdgecrnnError: what `root` holds cannot be used, in one sentence.
    """
    if not root.exists():
        raise EdgecrnnError(f"{root}: {EXPECTED}, but there is no such folder; check the path")
    if not root.is_dir():
        raise EdgecrnnError(f"{root}: {EXPECTED}, got a file; give the folder that holds it")
    try:
        labelled = read_labelled(root, SPLIT_NAMES)
        if labelled is not None:
            return _labelled_layout(root, labelled, seed, labels, digest)
        found = list(scan(root))
    except OSError as error:
        raise EdgecrnnError(f"{error.filename}: could not be read ({error.strerror})") from error
    if not found:
        raise EdgecrnnError(f"{root}: {EXPECTED}, found none; put each class in its own folder")
    kind = one_kind(root, found)
    _check_classes(root, found, labels)
    names = tuple(labels) if labels else tuple(sorted({f.label for f in found}, key=natural_key))
    items, made = _with_splits(root, found, names, seed, digest, evaluating=labels is not None)
    order = {split: i for i, split in enumerate(SPLITS)}
    items.sort(key=lambda i: (order[i.split], i.label, natural_key(i.path.name), str(i.path)))
    sets = tuple((number,) for number in range(len(names)))
    return Layout(root, kind, "classify", names, sets, tuple(items), made)


def _labelled_layout(
    root: Path,
    labelled: Labelled,
    seed: int,
    labels: Sequence[str] | None,
    digest: Callable[[Path], str],
) -> Layout:
    """The layout of files with labels beside them; each set of labels counts as a class."""
    for file in labelled.files:
        if not kind_of(file.path) and not (file.path.is_dir() and frame_files(file.path)):
            raise EdgecrnnError(f"{file.path}: {EXPECTED}, got a file that is neither")
    names = tuple(labels) if labels else labelled.names
    for name in labelled.names:
        if name not in names:
            raise EdgecrnnError(
                f"{root}: expected the model's labels {', '.join(names)}, got {name!r}"
                f"{nearest(name, names)}; rename or remove it"
            )
    sets = sorted({tuple(sorted(names.index(n) for n in file.labels)) for file in labelled.files})
    said = {chosen: "+".join(names[i] for i in chosen) for chosen in sets}
    found = [
        Found(
            file.path,
            kind_of(file.path) or "clips",
            said[tuple(sorted(names.index(n) for n in file.labels))],
            file.split,
        )
        for file in labelled.files
    ]
    kind = one_kind(root, found)
    if labels is None:
        _check_labels(root, labelled)
    items, made = _with_splits(
        root, found, tuple(said.values()), seed, digest, labels is not None, classes=False
    )
    order = {split: i for i, split in enumerate(SPLITS)}
    items.sort(key=lambda i: (order[i.split], natural_key(i.path.name), str(i.path)))
    return Layout(root, kind, "multilabel", names, tuple(sets), tuple(items), made)


def _check_labels(root: Path, labelled: Labelled) -> None:
    """Each label has to be true of a file to train on, and false of another."""
    if len(labelled.names) < 2:
        raise EdgecrnnError(
            f"{root}: expected at least two labels, got {', '.join(labelled.names) or 'none'}; "
            "for one of two answers put the files into two class folders"
        )
    train = [file.labels for file in labelled.files if file.split in (None, "train")]
    for name in labelled.names:
        true = sum(name in labels for labels in train)
        if not 0 < true < len(train):
            raise EdgecrnnError(
                f"{root}: expected {name!r} to be true of some training files and false of "
                f"others, got it {'always' if true else 'never'} true; add files or drop the label"
            )


def _check_classes(root: Path, found: list[Found], labels: Sequence[str] | None) -> None:
    counts = Counter(f.label for f in found)
    if labels is not None:
        for name in counts:
            if name not in labels:
                raise EdgecrnnError(
                    f"{root}: expected the model's classes {', '.join(labels)}, got the class "
                    f"{name!r}{nearest(name, labels)}; rename or remove that folder"
                )
        return
    if len(counts) == 1:
        raise EdgecrnnError(
            f"{root}: expected at least two classes, got only {found[0].label!r}; "
            "add a folder for another class"
        )
    for name, count in counts.items():
        if count == 1:
            raise EdgecrnnError(
                f"{root}: expected at least two files of each class, got one of {name!r}; "
                "add files or remove the class"
            )


def _with_splits(
    root: Path,
    found: list[Found],
    labels: tuple[str, ...],
    seed: int,
    digest: Callable[[Path], str],
    evaluating: bool,
    classes: bool = True,
) -> tuple[list[Item], bool]:
    """Items with a split each, and whether any split was made.

    Each of `labels` is a class that every split needs; not so where `classes` is False.
    """
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(lambda f: digest(f.path), found))
    numbers = {name: i for i, name in enumerate(labels)}
    items = [
        Item(f.path, numbers[f.label], f.split or "train", digest)
        for f, digest in zip(found, digests, strict=True)
    ]
    given = {f.split for f in found}
    if given == {None}:
        shares = {"val": 0.15, "test": 0.15}
    elif evaluating:
        shares = {}
    else:
        _check_train(root, found, classes)
        # Train and val without test stay: evaluate then falls back to val and says so.
        shares = {} if "val" in given else {s: 0.15 for s in ("val", "test") if s not in given}
    if not shares:
        return items, False
    if evaluating and not _divisible(items):
        return [replace(item, split="test") for item in items], False
    train = [i for i, item in enumerate(items) if item.split == "train"]
    stems = [stem_of(items[i].path) for i in train]
    numbered, contents = [items[i].label for i in train], [items[i].digest for i in train]
    if not classes:
        numbered = _without_rare(numbered, stems, contents)
    chosen = assign(stems, numbered, contents, labels, shares, seed)
    for i, split in zip(train, chosen, strict=True):
        items[i] = replace(items[i], split=split)
    return items, True


def _without_rare(numbers: list[int], stems: list[str], contents: list[str]) -> list[int]:
    """The same numbers, those of a single recording given the commonest one: it goes anywhere."""
    groups = group(stems, contents)
    counts = Counter(number for g in groups for number in {numbers[i] for i in g})
    common = counts.most_common(1)[0][0]
    return [number if counts[number] > 1 else common for number in numbers]


def _divisible(items: list[Item]) -> bool:
    """Whether a model can have been trained on these files: two classes, two groups of each."""
    groups = group([stem_of(i.path) for i in items], [i.digest for i in items])
    counts = Counter(label for g in groups for label in {items[i].label for i in g})
    return len(counts) > 1 and min(counts.values()) > 1


def _check_train(root: Path, found: list[Found], classes: bool) -> None:
    train = {f.label for f in found if f.split == "train"}
    if not train:
        raise EdgecrnnError(f"{root}: expected a split folder 'train', got only others; add it")
    for f in found:
        if classes and f.label not in train:
            raise EdgecrnnError(
                f"{root}: expected the class {f.label!r} in train too, got it only in {f.split}"
                f"{nearest(f.label, sorted(train))}; add it to train or remove it from {f.split}"
            )
