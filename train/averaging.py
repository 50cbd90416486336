"""The weights that are judged and shipped: an average over the last updates.

Between two updates a network of few clips changes what it answers: which of its epochs is best on
a small validation set is luck. An exponential moving average of the weights changes little from
update to update (Polyak and Juditsky, 1992; as Tarvainen and Valpola, 2017, make it). The moving
mean and variance of normalisation are averaged alike, over the same updates: they are those of the
networks that were averaged.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf


class WeightAverage:
    """Follows `weights`; its `variables` belong into a checkpoint beside them."""

    def __init__(self, weights: list[Any], updates: float) -> None:
        """Begin.

        Args:
            weights: Keras variables, all of a trainee's.
            updates: that the average looks back (the weight of an update falls by e over them);
                0: the average is the weights themselves.
        """
        self._weights = weights
        self._averages = [
            keras.Variable(weight, trainable=False, dtype=weight.dtype) for weight in weights
        ]
        self._count = keras.Variable(0.0, trainable=False, dtype="float32")
        self._most = math.exp(-1.0 / updates) if updates else 0.0

    @property
    def variables(self) -> list[Any]:
        """The averages in the order of the weights, then the number of updates."""
        return [*self._averages, self._count]

    def follow(self, strategy: Any) -> None:
        """Take in the weights after an update; to be called across replicas, where it compiles."""
        count = tf.convert_to_tensor(self._count.value)
        # The random weights of the start are soon forgotten.
        share = 1.0 - tf.minimum(self._most, (1.0 + count) / (10.0 + count))

        def towards(average: Any, weight: Any) -> Any:
            if not average.dtype.is_floating:
                return average.assign(weight)
            # A difference: weights that stay as they are have themselves as average, to the bit.
            return average.assign_add(tf.cast(share, average.dtype) * (weight - average))

        for average, weight in zip(self._averages, self._weights, strict=True):
            strategy.extended.update(average.value, towards, args=(weight.value,))
        strategy.extended.update(self._count.value, lambda number: number.assign_add(1.0))

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """The weights are the averages inside, and what they were after it."""
        before = [keras.ops.convert_to_numpy(weight).copy() for weight in self._weights]
        for weight, average in zip(self._weights, self._averages, strict=True):
            weight.assign(average)
        try:
            yield
        finally:
            for weight, value in zip(self._weights, before, strict=True):
                weight.assign(value)
