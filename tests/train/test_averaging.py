"""The average of the weights: its arithmetic, and that looking at it changes nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
import tensorflow as tf

from edgecrnn.train.averaging import WeightAverage


def followed(weight: keras.Variable, average: WeightAverage, values: list[float]) -> None:
    """The weight takes each of the values, as updates would set them."""

    @tf.function
    def update(value: tf.Tensor) -> None:
        weight.assign(tf.fill(weight.shape, value))
        average.follow(tf.distribute.get_strategy())

    for value in values:
        update(tf.constant(value))


def test_by_hand() -> None:
    """The first updates count more: 0.1, then 2/11; then exp(-1 / 2) of the average is kept."""
    weight = keras.Variable(np.zeros(2, np.float32))
    average = WeightAverage([weight], 2.0)
    values = [4.0, -1.0, 3.0, 2.0, 5.0, 1.0, 2.5, 0.5, 6.0, 1.5, 2.0, 3.5]
    expected = 0.0
    for number, value in enumerate(values):
        keep = min(math.exp(-0.5), (1 + number) / (10 + number))
        expected = keep * expected + (1 - keep) * value
    followed(weight, average, values)
    kept, count = average.variables
    np.testing.assert_allclose(kept, expected, rtol=1e-6)
    assert float(count) == len(values)
    assert abs(expected - values[-1]) > 0.1, "otherwise this would show nothing"


def test_none() -> None:
    weight = keras.Variable(np.zeros(2, np.float32))
    average = WeightAverage([weight], 0)
    followed(weight, average, [4.0, 7.0])
    np.testing.assert_array_equal(average.variables[0], 7.0)


def test_what_does_not_change_is_its_own_average() -> None:
    value = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    weight, count = keras.Variable(value), keras.Variable(np.arange(3), dtype="int32")
    average = WeightAverage([weight, count], 50.0)
    for _ in range(20):
        average.follow(tf.distribute.get_strategy())
    np.testing.assert_array_equal(average.variables[0], value)
    np.testing.assert_array_equal(average.variables[1], np.arange(3))


def test_shown_only_inside() -> None:
    weight = keras.Variable(np.zeros(2, np.float32))
    average = WeightAverage([weight], 1.0)
    followed(weight, average, [4.0, 8.0])
    kept = float(average.variables[0][0])
    with pytest.raises(RuntimeError), average.shown():
        np.testing.assert_array_equal(weight, kept)
        raise RuntimeError
    np.testing.assert_array_equal(weight, 8.0)
    assert 4.0 < kept < 8.0
