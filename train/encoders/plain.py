"""The default for columns of pictures: plain 3x3 convolutions, batch-normalised, to a sixteenth.

A picture is read once, where a camera's stream is read ten times a second: it may cost more. Four
convolutions that see all channels at once, each halving the map, look at most of the frame; what a
thing is made of and what shape it has takes that, motion does not.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from edgecrnn.train.encoders._norm import normalised

REDUCTION = 16
DEFAULTS = {"units": 64, "layers": 1, "motion": False, "dropout": 0.2}
_FILTERS = (16, 32, 48, 64)


def build(input_shape: tuple[int, int, int], width: float) -> Any:
    """float32 [batch, h, w, channels] to [batch, h / 16, w / 16, 32 * width].

    The first convolution reads every pixel and the strongest of four goes on; the others step over
    two. Sides that 16 does not divide are rounded up, the first time down.
    """
    x = inputs = keras.Input(input_shape)
    for index, filters in enumerate(_FILTERS):
        x = _conv(x, max(8, round(filters * width)), 3, 2 if index else 1, f"conv_{index}")
        if not index:
            x = layers.MaxPooling2D(2, name="pool_0")(x)
    return keras.Model(
        inputs, [_conv(x, max(8, round(32 * width)), 1, 1, "squeeze")], name="encoder"
    )


def _conv(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    """Convolution, batch normalisation (folded away on conversion), ReLU."""
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)
    x = normalised(x, f"{name}_norm")
    return layers.ReLU(name=f"{name}_relu")(x)
