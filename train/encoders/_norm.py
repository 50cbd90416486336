"""Batch normalisation as every encoder uses it (Ioffe and Szegedy, 2015)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import layers


def normalised(x: Any, name: str) -> Any:
    """`x` normalised over the whole batch, however many devices share it.

    Sums over devices cost time, and lose digits: one device takes the mean and variance directly.
    """
    shared = tf.distribute.get_strategy().num_replicas_in_sync > 1
    return layers.BatchNormalization(momentum=0.9, synchronized=shared, name=name)(x)
