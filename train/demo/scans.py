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
    return _divided("images")


@cache
def scan_labels() -> dict[str, npt.NDArray[np.int64]]:
    """Which digit each of them shows, int64 [n]."""
    return {split: labels.astype(np.int64) for split, labels in _divided("targets").items()}


def _divided(name: str) -> dict[str, Scans]:
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        values: Scans = file[name]
    order = np.random.default_rng(1998).permutation(len(values))
    ends = np.round(np.cumsum(list(_SHARES.values())) * len(values)).astype(int)
    parts = np.split(order, ends[:-1])
    return {split: values[part] for split, part in zip(_SHARES, parts, strict=True)}
