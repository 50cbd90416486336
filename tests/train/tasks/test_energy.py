"""The energy distance as a loss: least where made pictures are spread as true ones are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.train.tasks._energy import apart, energy, energy_of_maps, random_features

LABELS = np.arange(32, dtype=np.float32)[:, None] % 2


def drawn(seed: int, spread: float = 0.1) -> np.ndarray:
    """Pictures of two classes, dark and light."""
    noise = np.random.default_rng(seed).normal(0.0, spread, (32, 16, 16, 1))
    return np.clip(0.3 + 0.4 * LABELS[:, :, None, None] + noise, 0, 1).astype(np.float32)


def cost(made: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean(energy(made, true, apart(LABELS, 0.3))))


def test_the_same_distribution_costs_least() -> None:
    true = drawn(1)
    same = cost(drawn(2), true)
    # One picture for all of a class, more spread than there is, and the other class.
    assert same < cost(drawn(2, 0.0), true)
    assert same < cost(drawn(2, 0.4), true)
    assert same < cost(drawn(2)[::-1], true)


def test_by_hand() -> None:
    made, true = np.array([[0.0], [2.0]], np.float32), np.array([[1.0], [5.0]], np.float32)
    parts = np.asarray(energy(made, true, np.zeros((2, 2), np.float32)))
    assert np.allclose(parts, [2 * (1 + 5) / 2 - 2, 2 * (1 + 3) / 2 - 2], atol=1e-2)


def test_features_are_always_the_same_and_see_what_a_mean_does_not() -> None:
    stripes = np.zeros((4, 16, 16, 1), np.float32)
    stripes[:, :, ::2] = 1.0
    lying = stripes.transpose(0, 2, 1, 3)
    first, again = random_features(stripes), random_features(stripes)
    assert [tuple(each.shape) for each in first] == [(4, 8, 8, 32), (4, 4, 4, 64), (4, 2, 2, 128)]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    none = np.zeros((4, 4), np.float32)
    same = np.mean(energy_of_maps(first, again, none))
    assert np.mean(energy_of_maps(random_features(lying), first, none)) > same + 0.1
