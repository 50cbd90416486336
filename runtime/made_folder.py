"""A folder of made pictures with what was read of them, laid out as `train` finds pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import EITHER, kinds_of
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.generating import Generated
from edgecrnn.runtime.manifest import Manifest

PICTURES, MASKS, NAMES, BOXES, READINGS = (
    "pictures", "masks", "labels.txt", "boxes.csv", "readings.csv",
)  # fmt: skip
_BOX_COLUMNS = ("file", "left", "top", "width", "height", "label")
_READING_COLUMNS = ("file", "asked", "read", "score")


class MadeFolder:
    """CLASS/NUMBER.png or pictures/NUMBER.png; masks, boxes or readings beside them.

    Args:
        folder: is there, and empty.
        manifest: of the bundle that makes the pictures.

    Attributes:
        as_asked: how many were read as what was asked for; of pictures of a class.
    """

    def __init__(self, folder: Path, manifest: Manifest):
        self._folder, self._labels = folder, manifest.labels
        self._kind = kinds_of(manifest.answer)[1] if EITHER in manifest.answer else ""
        self._counts: dict[str, int] = {}
        self._rows: list[tuple[object, ...]] = []
        self.as_asked = 0

    def add(self, made: Generated) -> None:
        """Write a picture, and its mask where it has one.

        Raises:
            EdgecrnnError: no folder can be named by its label.
        """
        inside = made.label or PICTURES
        if inside != Path(inside).name or inside.startswith("."):
            raise EdgecrnnError(
                f"bundle: expected labels that folders can be named by, got {inside!r}; "
                "take another bundle"
            )
        number = self._counts.get(inside, 0)
        self._counts[inside] = number + 1
        name = f"{number:04d}.png"
        code = cv2.COLOR_RGB2BGR if made.picture.shape[2] == 3 else cv2.COLOR_GRAY2BGR
        self._write(f"{inside}/{name}", np.asarray(cv2.cvtColor(made.picture, code), np.uint8))
        if made.read is None:
            return
        if made.read.mask is not None:
            self._write(f"{MASKS}/{name}", made.read.mask)
        elif self._kind == "boxes":
            height, width = made.picture.shape[:2]
            for box in made.read.boxes:
                left, top, right, bottom = _inside(box, width, height)
                if right > left and bottom > top:
                    size = (right - left, bottom - top)
                    self._rows.append((name, left, top, *size, self._labels[int(box[5])]))
        else:
            said = (f"{inside}/{name}", made.label, made.read.label, f"{made.read.score:.3f}")
            self._rows.append(said)
            self.as_asked += made.read.label == made.label

    def close(self) -> None:
        """Write the table."""
        if self._kind == "regions":
            (self._folder / NAMES).write_text("\n".join(self._labels) + "\n", "utf-8")
        elif self._kind:
            boxes = self._kind == "boxes"
            table = io.StringIO()
            writer = csv.writer(table, lineterminator="\n")
            writer.writerows([_BOX_COLUMNS if boxes else _READING_COLUMNS, *self._rows])
            (self._folder / (BOXES if boxes else READINGS)).write_text(table.getvalue(), "utf-8")

    @property
    def made(self) -> int:
        """How many pictures there are."""
        return sum(self._counts.values())

    @property
    def said(self) -> str:
        """What was written, for a person."""
        classes = [name for name in self._counts if name in self._labels]
        what = f"{self.made} pictures" + (f" of {len(classes)} classes" if classes else "")
        if self._kind == "label":
            return f"{what}, {self.as_asked} read as asked ({READINGS})"
        beside = {"": "", "regions": f", {MASKS} beside them", "boxes": f", {BOXES} beside them"}
        return what + beside.get(self._kind, f", {READINGS} beside them")

    def _write(self, name: str, pixels: npt.NDArray[np.uint8]) -> None:
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def _inside(box: tuple[float, ...], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in pixels of the picture."""
    left, top, wide, high = box[:4]
    across, down = (left, left + wide), (top, top + high)
    first, last = (min(width, max(0, round(x * width))) for x in across)
    upper, lower = (min(height, max(0, round(y * height))) for y in down)
    return first, upper, last, lower
