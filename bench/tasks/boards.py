"""One to three handwritten digits on a plain dark ground, with their masks and boxes.

What `edgecrnn.train.demo.scenes` makes is harder; these are learned in minutes.
"""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from edgecrnn.train.demo.scans import scan_labels, scans
from edgecrnn.train.demo.scenes import LABELS

_COUNTS = {"train": 800, "val": 100, "test": 200}


def export_boards(
    folder: Path, size: int = 48, sides: tuple[int, int] = (16, 21), most: int = 3
) -> None:
    """Write split/pictures, split/masks, split/boxes.csv and labels.txt; splits share no scan.

    Args:
        folder: to make.
        size: height and width in pixels.
        sides: of a digit's square, the last one left out.
        most: digits on a board.
    """
    for place, (split, count) in enumerate(_COUNTS.items()):
        for kind in ("pictures", "masks"):
            (folder / split / kind).mkdir(parents=True, exist_ok=True)
        with (folder / split / "boxes.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("file", "left", "top", "width", "height", "label"))
            for number in range(count):
                picture, mask, boxes = _board(
                    np.random.default_rng((place, number)), split, size, sides, most
                )
                name = f"{number:04d}.png"
                cv2.imwrite(str(folder / split / "pictures" / name), picture)
                cv2.imwrite(str(folder / split / "masks" / name), mask)
                rows.writerows((name, *box) for box in boxes)
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n", "utf-8")


def _board(
    rng: np.random.Generator, split: str, size: int, sides: tuple[int, int], most: int
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, int, int, int]]]:
    picture = np.full((size, size), rng.uniform(20, 60), np.float32)
    mask, boxes = np.zeros((size, size), np.uint8), []
    images, labels = scans()[split], scan_labels()[split]
    for _ in range(int(rng.integers(1, most + 1))):
        index, side = int(rng.integers(len(images))), int(rng.integers(*sides))
        left, top = (int(n) for n in rng.integers(0, size - side, 2))
        if mask[max(0, top - 2) : top + side + 2, max(0, left - 2) : left + side + 2].any():
            continue
        image = images[index].astype(np.float32)
        large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 16)
        picture[top : top + side, left : left + side] += 11.0 * large
        seen = large > 5.0
        mask[top : top + side, left : left + side][seen] = labels[index] + 1
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        first, upper = int(columns[0]), int(rows[0])
        wide, high = int(columns[-1]) + 1 - first, int(rows[-1]) + 1 - upper
        boxes.append((left + first, top + upper, wide, high, int(labels[index])))
    return np.clip(picture, 0, 255).astype(np.uint8), mask, boxes
