"""Reads what a data folder holds: [split/]class/file, pictures or clips."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest
from edgecrnn.train.data.names import natural_key
from edgecrnn.train.data.split import assign, group

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
CLIPS = (".mp4", ".avi", ".mkv", ".mov")
SPLITS = ("train", "val", "test")
_SPLIT_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_EXPECTED = (
    "expected [split/]class/file with pictures (jpg, png, bmp, webp) or clips (mp4, avi, mkv, mov)"
)


@dataclass(frozen=True)
class Item:
    """One picture or one clip; a folder of numbered pictures is a clip."""

    path: Path
    label: int
    split: str  # "train", "val" or "test"
    digest: str  # SHA-256 of the content, hexadecimal


@dataclass(frozen=True)
class Layout:
    """What a data folder holds, ordered by split, class and name."""

    root: Path
    kind: str  # "pictures" or "clips"
    labels: tuple[str, ...]
    items: tuple[Item, ...]
    made_split: bool  # a split was made here rather than found

    def name(self, item: Item) -> str:
        """The item's path below the root, with forward slashes."""
        return item.path.relative_to(self.root).as_posix()


@dataclass(frozen=True)
class _Found:
    path: Path
    kind: str
    label: str
    split: str | None


def read_layout(root: Path, seed: int = 0, labels: Sequence[str] | None = None) -> Layout:
    """Read `root`, number its classes and make the splits that are missing.

    Args:
        root: folder with [split/]class/file; splits are called train, val (valid, validation)
            and test.
        seed: of the split that is made.
        labels: the classes of a trained model. Given, the classes found must be among them and
            are numbered by them, a split without training data will do, and so will one class
            or one file: what no model can have been trained on is test as a whole.

    Returns:
        The layout. Without any split 70 % train, 15 % val and 15 % test are made; from train
        alone likewise; from train and test a val of 15 % of train. Train and val without test
        stay as they are. Identical files and parts of one recording stay on one side.

    Raises:
        EdgecrnnError: what `root` holds cannot be used, in one sentence.
    """
    if not root.exists():
        raise EdgecrnnError(f"{root}: {_EXPECTED}, but there is no such folder; check the path")
    if not root.is_dir():
        raise EdgecrnnError(f"{root}: {_EXPECTED}, got a file; give the folder that holds it")
    try:
        found = list(_scan(root))
    except OSError as error:
        raise EdgecrnnError(f"{error.filename}: could not be read ({error.strerror})") from error
    if not found:
        raise EdgecrnnError(f"{root}: {_EXPECTED}, found none; put each class in its own folder")
    kind = _one_kind(root, found)
    _check_classes(root, found, labels)
    names = tuple(labels) if labels else tuple(sorted({f.label for f in found}, key=natural_key))
    items, made = _with_splits(root, found, names, seed, evaluating=labels is not None)
    order = {split: i for i, split in enumerate(SPLITS)}
    items.sort(key=lambda i: (order[i.split], i.label, natural_key(i.path.name), str(i.path)))
    return Layout(root, kind, names, tuple(items), made)


def _scan(root: Path) -> Iterator[_Found]:
    folders = _folders(root)
    splits = [f for f in folders if f.name.lower() in _SPLIT_NAMES]
    if splits and any(_media(f) for f in splits):
        # A class may be called 'train'; but where all are split names the classes are missing.
        if len(splits) == len(folders):
            raise EdgecrnnError(
                f"{splits[0]}: expected a folder for each class in it, got files without a "
                "class; move each file into split/class/"
            )
        splits = []
    if splits and len(splits) != len(folders):
        other = next(f.name for f in folders if f not in splits)
        raise EdgecrnnError(
            f"{root}: expected either split folders (train, val, test) or class folders, got "
            f"{splits[0].name!r} beside {other!r}; move {other!r} elsewhere"
        )
    if not splits:
        yield from _scan_classes(folders, None)
    for folder in splits:
        yield from _scan_classes(_folders(folder), _SPLIT_NAMES[folder.name.lower()])


def _scan_classes(folders: list[Path], split: str | None) -> Iterator[_Found]:
    for folder in folders:
        entries = [(path, _kind(path)) for path in _media(folder)]
        entries += [(path, "clips") for path in _folders(folder) if frame_files(path)]
        if not entries:
            raise EdgecrnnError(
                f"{folder}: expected pictures or clips of the class {folder.name!r}, found none; "
                "add some or remove the folder"
            )
        for path, kind in entries:
            yield _Found(path, kind, folder.name, split)


def _folders(folder: Path) -> list[Path]:
    entries = (p for p in folder.iterdir() if not p.name.startswith((".", "__")) and p.is_dir())
    return sorted(entries, key=lambda p: natural_key(p.name))


def _media(folder: Path) -> list[Path]:
    entries = (p for p in folder.iterdir() if not p.name.startswith(".") and _kind(p))
    return sorted((p for p in entries if p.is_file()), key=lambda p: natural_key(p.name))


def frame_files(folder: Path) -> list[Path]:
    """The pictures of a clip kept as a folder, in the order of their numbers."""
    return [p for p in _media(folder) if _kind(p) == "pictures"]


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    return "pictures" if suffix in PICTURES else "clips" if suffix in CLIPS else ""


def _one_kind(root: Path, found: list[_Found]) -> str:
    first = {f.kind: f for f in reversed(found)}
    if len(first) == 2:
        picture, clip = (first[k].path.relative_to(root) for k in ("pictures", "clips"))
        raise EdgecrnnError(
            f"{root}: expected only pictures or only clips, got the picture {picture} and the "
            f"clip {clip}; keep them in two data sets"
        )
    return found[0].kind


def _check_classes(root: Path, found: list[_Found], labels: Sequence[str] | None) -> None:
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
    root: Path, found: list[_Found], labels: tuple[str, ...], seed: int, evaluating: bool
) -> tuple[list[Item], bool]:
    """Items with a split each, and whether any split was made."""
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(lambda f: file_digest(f.path), found))
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
        _check_train(root, found)
        # Train and val without test stay: evaluate then falls back to val and says so.
        shares = {} if "val" in given else {s: 0.15 for s in ("val", "test") if s not in given}
    if not shares:
        return items, False
    if evaluating and not _divisible(items):
        return [replace(item, split="test") for item in items], False
    train = [i for i, item in enumerate(items) if item.split == "train"]
    stems = [_stem(items[i]) for i in train]
    classes, contents = [items[i].label for i in train], [items[i].digest for i in train]
    chosen = assign(stems, classes, contents, labels, shares, seed)
    for i, split in zip(train, chosen, strict=True):
        items[i] = replace(items[i], split=split)
    return items, True


def _stem(item: Item) -> str:
    return item.path.name if item.path.is_dir() else item.path.stem


def _divisible(items: list[Item]) -> bool:
    """Whether a model can have been trained on these files: two classes, two groups of each."""
    groups = group([_stem(i) for i in items], [i.digest for i in items])
    counts = Counter(label for g in groups for label in {items[i].label for i in g})
    return len(counts) > 1 and min(counts.values()) > 1


def _check_train(root: Path, found: list[_Found]) -> None:
    train = {f.label for f in found if f.split == "train"}
    if not train:
        raise EdgecrnnError(f"{root}: expected a split folder 'train', got only others; add it")
    for f in found:
        if f.label not in train:
            raise EdgecrnnError(
                f"{root}: expected the class {f.label!r} in train too, got it only in "
                f"{f.split}; add it to train or remove it from {f.split}"
            )


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, or of the pictures of a clip kept as a folder."""
    try:
        if path.is_dir():
            parts = "".join(file_digest(frame) for frame in frame_files(path))
            return hashlib.sha256(parts.encode()).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EdgecrnnError(f"{path}: could not be read ({error.strerror})") from error
