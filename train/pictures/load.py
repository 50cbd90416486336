"""Decodes the pictures that were found, with what is said of them, at one size."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.decode import BadFileError, quiet, read_picture, whole_frames
from edgecrnn.train.data.names import natural_key
from edgecrnn.train.data.skipped import Skipped
from edgecrnn.train.pictures.found import Item, PictureLayout
from edgecrnn.train.tasks import Truth

_MOST_BYTES = 4 << 30
_MOST_BAD = 0.05  # share of the files


@dataclass(frozen=True)
class Pictures:
    """The decoded pictures of one split."""

    pictures: npt.NDArray[np.uint8]  # [n, height, width, channels]
    truths: tuple[Truth, ...]
    names: tuple[str, ...]  # paths below the data folder

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class PictureData:
    """A data folder, decoded."""

    labels: tuple[str, ...]
    splits: dict[str, Pictures]  # "train", "val", "test": those there are
    skipped: tuple[Skipped, ...]
    hash: str
    made_split: bool


def load_pictures(layout: PictureLayout, preprocessing: Preprocessing) -> PictureData:
    """Decode everything into memory.

    Raises:
        EdgecrnnError: it does not fit, too many files are bad, or a mask does not fit its picture.
    """
    size = len(layout.items) * int(np.prod(preprocessing.frame_shape))
    if size > _MOST_BYTES:
        raise EdgecrnnError(
            f"{layout.root}: expected at most {_MOST_BYTES >> 30} GB of pixels, got "
            f"{size / (1 << 30):.1f}; choose a smaller --size or fewer pictures"
        )
    skipped: list[Skipped] = []
    read: dict[str, list[tuple[npt.NDArray[np.uint8], Truth, str]]] = {}

    def one(item: Item) -> tuple[npt.NDArray[np.uint8], Truth] | str:
        try:
            return _read(item, preprocessing, len(layout.labels))
        except BadFileError as error:
            return str(error)

    with quiet(), ThreadPoolExecutor(2) as pool:
        for item, result in zip(layout.items, pool.map(one, layout.items), strict=True):
            if isinstance(result, str):
                skipped.append(Skipped(item.path, result))
                continue
            name = item.path.relative_to(layout.root).as_posix()
            read.setdefault(item.split, []).append((*result, name))
    if len(skipped) > _MOST_BAD * len(layout.items):
        first = skipped[0]
        raise EdgecrnnError(
            f"{layout.root}: expected at most {_MOST_BAD:.0%} of the files to be bad, got "
            f"{len(skipped)} of {len(layout.items)}, for example {first.path} ({first.reason})"
        )
    splits = {
        split: Pictures(
            np.stack([each[0] for each in every]),
            tuple(each[1] for each in every),
            tuple(each[2] for each in every),
        )
        for split, every in read.items()
    }
    return PictureData(layout.labels, splits, tuple(skipped), layout.hash, layout.made_split)


def joined(parts: Sequence[Pictures]) -> Pictures:
    """All of them, in the order of their names."""
    names = [name for part in parts for name in part.names]
    truths = [truth for part in parts for truth in part.truths]
    order = sorted(range(len(names)), key=lambda n: natural_key(names[n]))
    return Pictures(
        np.concatenate([part.pictures for part in parts])[order],
        tuple(truths[n] for n in order),
        tuple(names[n] for n in order),
    )


def _read(
    item: Item, preprocessing: Preprocessing, classes: int
) -> tuple[npt.NDArray[np.uint8], Truth]:
    if item.mask is None and item.boxes is None:
        return read_picture(item.path, preprocessing), Truth(item.label)
    if preprocessing.fit != "stretch":
        raise EdgecrnnError(
            f"fit: expected stretch where masks or boxes belong to the pictures, got "
            f"{preprocessing.fit}"
        )
    picture = read_picture(item.path, preprocessing)
    (_, whole), *_ = whole_frames(item.path)
    height, width = whole.shape[:2]
    if item.mask is not None:
        return picture, Truth(mask=_mask(item.mask, (height, width), preprocessing, classes))
    boxes = np.array(item.boxes, np.float32)
    outside = (boxes[:, 0] + boxes[:, 2] > width + 1) | (boxes[:, 1] + boxes[:, 3] > height + 1)
    if outside.any():
        left, top, wide, high = boxes[outside][0, :4]
        raise EdgecrnnError(
            f"{item.path}: expected boxes inside its {width}x{height} pixels, got left {left:g}, "
            f"top {top:g}, width {wide:g}, height {high:g}"
        )
    boxes[:, [0, 2]] *= preprocessing.width / width
    boxes[:, [1, 3]] *= preprocessing.height / height
    return picture, Truth(boxes=boxes)


def _mask(
    path: Path, shape: tuple[int, int], preprocessing: Preprocessing, classes: int
) -> npt.NDArray[np.uint8]:
    """The class of each pixel at the frame's size."""
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if mask is None or mask.ndim != 2 or mask.dtype != np.uint8:
        got = "no picture" if mask is None else f"{mask.dtype} {mask.shape}"
        raise EdgecrnnError(
            f"{path}: expected a PNG with one channel of 8 bits, got {got}; a palette's colors are "
            "three: save the numbers themselves as gray"
        )
    if mask.shape != shape:
        raise EdgecrnnError(
            f"{path}: expected a mask of its picture's {shape[1]}x{shape[0]} pixels, got "
            f"{mask.shape[1]}x{mask.shape[0]}"
        )
    if int(mask.max()) >= classes:
        raise EdgecrnnError(
            f"{path}: expected levels below {classes}, one for each class of labels.txt, got "
            f"{mask.max()}"
        )
    size = (preprocessing.width, preprocessing.height)
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
