"""Finds pictures, and what lies beside them: classes, masks or boxes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.digests import file_digest
from edgecrnn.train.data.names import natural_key
from edgecrnn.train.data.scan import SPLIT_NAMES, kind_of
from edgecrnn.train.data.split import assign
from edgecrnn.train.pictures.box_table import BOXES, COLUMNS, Row, box_of, read_rows

NAMES = "labels.txt"
_PICTURES, _MASKS = "pictures", "masks"
# What a task needs, as a person lays it out.
LAYOUTS = {
    "": "[split/]any/folders/picture.jpg",
    "classes": "[split/]class/picture.jpg",
    "masks": f"[split/]{_PICTURES}/NAME.jpg with [split/]{_MASKS}/NAME.png (each pixel's class "
    f"as its level) and {NAMES} (a class a line, the first for level 0)",
    "boxes": f"[split/]{_PICTURES}/NAME.jpg with [split/]{BOXES} ({','.join(COLUMNS)}; pixels)",
}
_SHARES = {"val": 0.15, "test": 0.15}
_DIGEST = 64  # letters of a SHA-256


@dataclass(frozen=True)
class Item:
    """One picture and what is said of it; the boxes are float32 [boxes, 5], its own pixels."""

    path: Path
    split: str
    digest: str
    label: int = -1
    mask: Path | None = None
    boxes: npt.NDArray[np.float32] | None = None

    @property
    def picture(self) -> str:
        """The part of the digest that is the picture's own, whatever is said of it."""
        return self.digest[:_DIGEST]


@dataclass(frozen=True)
class PictureLayout:
    """The pictures of a folder."""

    root: Path
    items: tuple[Item, ...]
    labels: tuple[str, ...]  # of classes, masks or boxes; () where nothing is said
    made_split: bool

    @property
    def hash(self) -> str:
        """SHA-256 over names and contents, what is said of the pictures included."""
        lines = sorted(
            f"{item.path.relative_to(self.root)}\0{item.split}\0{item.digest}\n"
            for item in self.items
        )
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def find_pictures(
    root: Path, needs: str, seed: int, known: tuple[str, ...] | None = None
) -> PictureLayout:
    """The pictures below `root`, divided as its folders say, or by the seed where they do not.

    Args:
        root: laid out as `LAYOUTS[needs]`.
        needs: what the task needs beside the pictures.
        seed: of the split.
        known: classes of a model that is asked about them, () for any: not all of them have to be
            there, and what is too little to divide is looked at whole. None for training.

    Raises:
        EdgecrnnError: there are no pictures, what is needed is missing or does not fit, or is of
            other classes than the known ones.
    """
    if not root.is_dir():
        got = "a file" if root.exists() else "nothing there"
        raise EdgecrnnError(f"{root}: expected a folder ({LAYOUTS[needs]}), got {got}")
    folders = [p for p in _entries(root) if p.is_dir() and p.name != _MASKS]
    named = {p: SPLIT_NAMES.get(p.name.lower()) for p in folders}
    parts = {p: split for p, split in named.items() if split}
    if parts and len(parts) != len(folders):
        other = next(p.name for p in folders if p not in parts)
        raise EdgecrnnError(
            f"{root}: expected either split folders (train, val, test) or none, got "
            f"{next(iter(parts)).name!r} beside {other!r}; move {other!r} elsewhere"
        )
    places: Mapping[Path, str | None] = parts or {root: None}
    found = [(split, *each) for place, split in places.items() for each in _in(root, place, needs)]
    if not found:
        raise EdgecrnnError(
            f"{root}: expected pictures ({LAYOUTS[needs]}), found none{_instead(root)}"
        )
    labels = _labels(root, needs, [said for _, _, said in found], 2 if known is None else 1)
    if known and labels:
        labels = _as_known(root, needs, labels, known)
    items = [_item(path, split or "", needs, said, labels) for split, path, said in found]
    layout = PictureLayout(root, tuple(items), labels, False)
    try:
        return _divided(layout, seed)
    except EdgecrnnError:
        if known is None:
            raise
        whole = tuple(replace(item, split=item.split or "test") for item in items)
        return replace(layout, items=whole, made_split=True)


def shared_note(layout: PictureLayout) -> str:
    """A sentence where pictures of val or test are in train too; "" where none are."""
    train = {item.picture: item for item in layout.items if item.split == "train"}
    shared = [i for i in layout.items if i.split != "train" and i.picture in train]
    if not shared:
        return ""
    one, other = (
        each.path.relative_to(layout.root) for each in (shared[0], train[shared[0].picture])
    )
    many = (
        "1 picture of val or test is" if len(shared) == 1 else f"{len(shared)} of val or test are"
    )
    return (
        f"{many} in train too, for example {one} = {other}: a measure of what was trained on says "
        "nothing; delete one of each"
    )


def _instead(root: Path) -> str:
    """What lies there that a person may have meant, and what to do with it."""
    kinds = Counter(kind_of(path) for path in root.rglob("*") if path.is_file())
    if kinds["pictures"]:
        return (
            f", but pictures elsewhere below it ({kinds['pictures']}); move them into such folders"
        )
    if kinds["clips"]:
        return f", but clips ({kinds['clips']}); save frames of them as pictures"
    return ""


def _entries(folder: Path) -> list[Path]:
    entries = (p for p in folder.iterdir() if not p.name.startswith((".", "__")))
    return sorted(entries, key=lambda p: natural_key(p.name))


def _pictures(folder: Path) -> Iterator[Path]:
    """Every picture below, those of masks apart."""
    for entry in _entries(folder):
        if entry.is_dir():
            if entry.name != _MASKS:
                yield from _pictures(entry)
        elif kind_of(entry) == "pictures":
            yield entry


_Said = str | Path | list[Row] | None


def _in(root: Path, place: Path, needs: str) -> Iterator[tuple[Path, _Said]]:
    """Each picture of a split with what is said of it, not read yet."""
    if needs == "":
        yield from ((path, None) for path in _pictures(place))
        return
    if needs == "classes":
        for folder in (p for p in _entries(place) if p.is_dir()):
            yield from ((path, folder.name) for path in _pictures(folder))
        return
    pictures = place / _PICTURES
    beside = place / (_MASKS if needs == "masks" else BOXES)
    for wanted in (pictures, beside):
        if not wanted.exists():
            raise EdgecrnnError(f"{root}: expected {LAYOUTS[needs]}, got no {wanted}; add it")
    if needs == "masks":
        for path in _pictures(pictures):
            mask = beside / f"{path.stem}.png"
            if not mask.is_file():
                raise EdgecrnnError(f"{path}: expected a mask for it at {mask}, got none; add it")
            yield path, mask
        return
    rows = read_rows(beside)
    known = {path.name: path for path in _pictures(pictures)}
    for name in rows:
        if name not in known:
            raise EdgecrnnError(f"{beside}: expected names of files in {pictures}, got {name!r}")
    yield from ((path, rows.get(name, [])) for name, path in known.items())


def _labels(root: Path, needs: str, said: Sequence[_Said], least: int) -> tuple[str, ...]:
    if needs == "":
        return ()
    if needs == "masks":
        path = root / NAMES
        try:
            names = tuple(path.read_text("utf-8-sig").split("\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise EdgecrnnError(
                f"{path}: expected a class a line, the first for level 0, got no such file in "
                "UTF-8; add it"
            ) from error
        names = tuple(name.strip() for name in names if name.strip())
    elif needs == "classes":
        names = tuple(sorted({str(each) for each in said}, key=natural_key))
    else:
        every = {row["label"] for rows in said if isinstance(rows, list) for row in rows}
        names = tuple(sorted(every, key=natural_key))
    least = 1 if needs == "boxes" else least
    if len(names) < least or len(set(names)) != len(names):
        raise EdgecrnnError(
            f"{root}: expected at least {least} different classes, got {', '.join(names) or 'none'}"
        )
    return names


def _as_known(
    root: Path, needs: str, labels: tuple[str, ...], known: tuple[str, ...]
) -> tuple[str, ...]:
    other = [name for name in labels if name not in known]
    # The numbers in masks mean what labels.txt says, all of it.
    if other or (needs == "masks" and labels != known):
        raise EdgecrnnError(
            f"{root}: expected the model's classes {', '.join(known)}, got "
            f"{', '.join(other or labels)}"
        )
    return known


def _item(path: Path, split: str, needs: str, said: _Said, labels: tuple[str, ...]) -> Item:
    digest = file_digest(path)
    if needs == "classes":
        return Item(path, split, digest, label=labels.index(str(said)))
    if isinstance(said, Path):
        return Item(path, split, digest + file_digest(said), mask=said)
    if isinstance(said, list):
        boxes = [box_of(path, row, labels) for row in said]
        array = np.array(boxes, np.float32).reshape(-1, 5)
        return Item(path, split, digest + array.tobytes().hex(), boxes=array)
    return Item(path, split, digest)


def _divided(layout: PictureLayout, seed: int) -> PictureLayout:
    """With a split for each; train is divided where there is no validation."""
    items = list(layout.items)
    given = {item.split for item in items}
    if "val" in given and "train" in given:
        return layout
    if given - {""} and "train" not in given:
        # Nothing to train on is what evaluation may be given: all of it is looked at.
        return replace(layout, items=tuple(replace(i, split=i.split or "test") for i in items))
    shares = {split: share for split, share in _SHARES.items() if split not in given}
    own = [n for n, item in enumerate(items) if item.split in ("", "train")]
    labels = layout.labels if items[own[0]].label >= 0 else ("pictures",)
    chosen = assign(
        [items[n].path.stem for n in own],
        [max(0, items[n].label) for n in own],
        [items[n].picture for n in own],
        labels,
        shares,
        seed,
    )
    for n, split in zip(own, chosen, strict=True):
        items[n] = replace(items[n], split=split)
    return replace(layout, items=tuple(items), made_split=True)
