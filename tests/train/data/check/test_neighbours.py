from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgecrnn.train.data.check import neighbours
from edgecrnn.train.data.check.neighbours import near_pairs


def groups(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, count), rng.integers(0, 3, count)


def flipped(bits: np.ndarray, count: int, seed: int) -> np.ndarray:
    result = bits.copy()
    places = np.random.default_rng(seed).choice(len(bits), count, replace=False)
    result[places] ^= True
    return result


@pytest.mark.parametrize(("block", "cells"), [(7, 2**25), (64, 2**25), (1024, 2**25), (64, 1000)])
def test_the_same_pairs_as_comparing_each_with_each(block: int, cells: int, monkeypatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    monkeypatch.setattr(neighbours, "_CELLS", cells)
    bits = np.random.default_rng(0).random((90, 256)) < 0.5
    for copy, (original, differ) in enumerate(
        [(3, 0), (4, 10), (5, 40), (6, 56), (7, 57), (8, 90)]
    ):
        bits[60 + copy] = flipped(bits[original], differ, copy)
    found = set(zip(*map(np.ndarray.tolist, near_pairs(bits, groups(90))), strict=True))
    near = {
        (i, j) for i, j in itertools.combinations(range(90), 2) if (bits[i] ^ bits[j]).sum() <= 56
    }
    assert found == near == {(3, 60), (4, 61), (5, 62), (6, 63)}


def test_where_all_are_alike_each_keeps_a_few_of_each_relation() -> None:
    count = 300
    base = np.random.default_rng(0).random(256) < 0.5
    bits = np.stack([flipped(base, 5, seed) for seed in range(count)])
    classes, splits = groups(count)
    first, second = near_pairs(bits, (classes, splits))
    assert len(first) <= count * 3 * neighbours._EACH
    for group in (classes, splits):
        across = group[first] != group[second]
        assert set(first[across]) | set(second[across]) == set(range(count))
    assert ((classes[first] == classes[second]) & (splits[first] == splits[second])).any()


def test_nothing_near_and_nothing_at_all() -> None:
    bits = np.random.default_rng(0).random((20, 256)) < 0.5
    assert [len(side) for side in near_pairs(bits, groups(20))] == [0, 0]
    none = np.empty((0, 256), np.bool_)
    assert [len(side) for side in near_pairs(none, groups(0))] == [0, 0]
