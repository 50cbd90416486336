"""The moving average of the weights, which is what is judged and kept (Polyak and Juditsky, 1992).

Single steps at a high rate throw a small data set's validation score about; their average does not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf


class Average:
    """Follows `weights`; with momentum 0 it is the weights themselves.

    Args:
        weights: Keras variables, statistics of normalisation among them.
        momentum: share of the old average that a step keeps; less at first, so that the random
            start is soon forgotten.
    """

    def __init__(self, weights: Sequence[Any], momentum: float):
        self._weights = list(weights) if momentum else []
        self._momentum = momentum
        self._steps = tf.Variable(0.0, trainable=False, name="averaged_steps")
        self._values = [
            tf.Variable(weight.value, trainable=False, name="average") for weight in self._weights
        ]

    @property
    def variables(self) -> list[Any]:
        """What a checkpoint keeps; nothing where nothing is averaged."""
        return [self._steps, *self._values] if self._weights else []

    def follow(self) -> None:
        """Move by one step; part of the compiled update."""
        if not self._weights:
            return
        self._steps.assign_add(1.0)
        keep = tf.minimum(self._momentum, self._steps / (self._steps + 10.0))
        for value, weight in zip(self._values, self._weights, strict=True):
            value.assign(weight.value + keep * (value - weight.value))

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average where the weights are, and the weights back afterwards."""
        held = [tf.identity(weight.value) for weight in self._weights]
        for weight, value in zip(self._weights, self._values, strict=True):
            weight.assign(value)
        try:
            yield
        finally:
            for weight, value in zip(self._weights, held, strict=True):
                weight.assign(value)
