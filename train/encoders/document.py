"""The network of the starting document: three 3x3 convolutions, each with 2x2 max pooling."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

REDUCTION = 8
DEFAULTS = {"units": 128, "layers": 2, "motion": False, "dropout": 0.0}


def build(input_shape: tuple[int, int, int], width: float) -> Any:
    """float32 [batch, h, w, channels] to [batch, h / 8, w / 8, 128 * width]."""
    x = inputs = keras.Input(input_shape)
    for index, filters in enumerate((32, 64, 128)):
        x = layers.Conv2D(
            max(8, round(filters * width)),
            3,
            padding="same",
            activation="relu",
            name=f"conv_{index}",
        )(x)
        x = layers.MaxPooling2D(2, name=f"pool_{index}")(x)
    return keras.Model(inputs, [x], name="encoder")
