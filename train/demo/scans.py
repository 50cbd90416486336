"""The handwritten digits of the package, divided so that no scan is in two splits."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Scans = npt.NDArray[np.uint8]

_SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}


@cache
def scans() -> dict[str, Scans]:
    """The scans of train, val and test, each uint8 [n, 8, 8] with values 0 to 16.

    The division is always the same, so two exports by different seeds can be told to train on
    one and test on the other.
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        images: Scans = file["images"]
    order = np.random.default_rng(1998).permutation(len(images))
    ends = np.round(np.cumsum(list(_SHARES.values())) * len(images)).astype(int)
    parts = np.split(order, ends[:-1])
    return {split: images[part] for split, part in zip(_SHARES, parts, strict=True)}
