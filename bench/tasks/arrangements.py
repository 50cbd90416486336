"""Pictures whose class is the order in which two handwritten digits stand, and nothing else.

Two different digits of 0 to 4 lie in two of four cells; the class is the one that is read
first. A network that averages what it sees in the cells knows both, and has to guess which one:
it can be right about half the time.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edgecrnn.train.demo.scans import scan_labels, scans

_SIDE, _CELLS, _DIGITS = 64, 2, 5
_COUNTS = {"train": 2000, "val": 300, "test": 400}


def export_arrangements(folder: Path) -> None:
    """Write split/digit/number.png, 64x64; splits share no scan."""
    cell = _SIDE // _CELLS
    for place, (split, count) in enumerate(_COUNTS.items()):
        images, labels = scans()[split], scan_labels()[split]
        for number in range(count):
            rng = np.random.default_rng((place, number))
            picture = rng.normal(60, 12, (_SIDE, _SIDE))
            cells = np.sort(rng.choice(_CELLS**2, 2, replace=False))
            digits = rng.choice(_DIGITS, 2, replace=False)
            for where, digit in zip(cells, digits, strict=True):
                image = images[rng.choice(np.flatnonzero(labels == digit))].astype(np.float32)
                large = cv2.resize(image, (cell - 2, cell - 2), interpolation=cv2.INTER_CUBIC)
                top, left = (int(n) * cell + 1 for n in divmod(where, _CELLS))
                picture[top : top + cell - 2, left : left + cell - 2] += 11.0 * large
            target = folder / split / str(digits[0])
            target.mkdir(parents=True, exist_ok=True)
            pixels = np.clip(picture, 0, 255).astype(np.uint8)
            cv2.imwrite(str(target / f"{number:04d}.png"), pixels)
