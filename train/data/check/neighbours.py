"""Which files could be copies of which: those whose hashes are near, by blocks over all files."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

_NEAR = 0.22  # share of bits in which a copy's hash may differ; measured: cropped by 2 %, 0.19
_EACH = 8  # nearest kept for a file, in each relation
_BLOCK = 1024  # files compared with all others at a time, fewer where there are very many
_CELLS = 2**25  # compared at a time: 128 MiB of them as float32

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]


def near_pairs(bits: npt.NDArray[np.bool_], groups: tuple[Ints, Ints]) -> tuple[Places, Places]:
    """The first and the second of each pair of files whose hashes are near.

    Of each file the nearest in each relation are kept: same class and split, another class,
    another split. So thousands of frames of a camera that stands still cost no more than
    thousands of strangers. With bits as -1 and 1 the number that differ is a product of matrices:
    20,000 hashes of 256 bits took 4.1 s on two cores, 5.0 s with `numpy.bitwise_count`, which
    needs NumPy 2.

    Args:
        bits: bool [files, bits].
        groups: the files' classes and splits, int64 [files] each.
    """
    signs = np.where(bits, np.float32(1), np.float32(-1))
    least = bits.shape[1] * (1 - 2 * _NEAR)
    found: list[tuple[Ints, Ints]] = []
    block = max(1, min(_BLOCK, _CELLS // max(1, len(signs))))
    for start in range(0, len(signs), block):
        rows = slice(start, start + block)
        alike = signs[rows] @ signs.T
        own = np.arange(start, start + len(alike))
        alike[np.arange(len(alike)), own] = -np.inf
        if not (alike >= least).any():
            continue
        for related in _relations(groups, rows):
            for first, second in _nearest(np.where(related, alike, -np.inf), least):
                found.append((first + start, second))
    if not found:
        return np.empty(0, np.int32), np.empty(0, np.int32)
    pairs = np.stack([np.concatenate(side) for side in zip(*found, strict=True)])
    pairs.sort(axis=0)
    pairs = np.unique(pairs, axis=1)
    return pairs[0].astype(np.int32), pairs[1].astype(np.int32)


def _relations(groups: tuple[Ints, Ints], rows: slice) -> Iterator[npt.NDArray[np.bool_]]:
    differs = [group[rows, None] != group[None, :] for group in groups]
    yield ~(differs[0] | differs[1])
    yield from differs


def _nearest(alike: npt.NDArray[np.float32], least: float) -> Iterator[tuple[Ints, Ints]]:
    """The (row, column) of at most `_EACH` entries of each row that are at least `least`."""
    near = alike >= least
    counts = near.sum(axis=1)
    few = np.flatnonzero((counts > 0) & (counts <= _EACH))
    row, column = np.nonzero(near[few])
    yield few[row], column
    many = np.flatnonzero(counts > _EACH)
    if len(many):
        best = np.argpartition(-alike[many], _EACH, axis=1)[:, :_EACH]
        yield np.repeat(many, _EACH), best.ravel()
