"""A few numbers of the whole picture: an embedding, or a value."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from edgecrnn.train.network.trunk import Trunk
from edgecrnn.train.tasks import HeadShape


def build(trunk: Trunk, shape: HeadShape) -> Any:
    """float32 [batch, channels], of what the LSTM remembers and what was seen in all places."""
    x = ops.concatenate([trunk.state, trunk.summary], axis=-1)
    numbers = layers.Dense(shape.channels, name="answer")(x)
    if shape.form == "unit":
        # Divided by hand: TFLite has these operators in every version.
        length = ops.sqrt(ops.sum(ops.square(numbers), axis=-1, keepdims=True) + 1e-6)
        return ops.divide(numbers, length)
    return ops.softmax(numbers) if shape.form == "one" else ops.sigmoid(numbers)
