"""What the graphs over frames and over pictures share."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def scaled(frames: Any) -> Any:
    """The normalisation: 0..255 to 0..1. Scaling alone, so that int8 pixels lose nothing by it."""
    return ops.multiply(frames, 1.0 / 255.0)


def flatten(x: Any) -> Any:
    """[batch, ...] to [batch, features]."""
    size = 1
    for side in x.shape[1:]:
        size *= side
    return ops.reshape(x, (-1, size))


def frame_features(readings: Any) -> Any:
    """An encoder's readings of whole frames as [batch, features]: map laid flat, then summary."""
    flat = [flatten(reading) for reading in as_list(readings)]
    return flat[0] if len(flat) == 1 else ops.concatenate(flat, axis=-1)


def as_list(readings: Any) -> list[Any]:
    """An encoder's readings; Keras gives a single one without its list."""
    return list(readings) if isinstance(readings, (list, tuple)) else [readings]


def dropout(network: Any, x: Any, training: bool) -> Any:
    """Dropout with one mask for all steps (Gal and Ghahramani, 2016)."""
    rate = network.settings.dropout
    if not training or rate == 0.0:
        return x
    shape = (ops.shape(x)[0], 1, x.shape[-1]) if len(x.shape) == 3 else ops.shape(x)
    keep = ops.cast(keras.random.uniform(shape, seed=network.seeds) >= rate, x.dtype)
    return ops.multiply(x, keep / (1.0 - rate))
