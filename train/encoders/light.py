"""The default for small boards: separable convolutions, batch-normalised, position kept.

Two readings of the last convolution go to the LSTM: a 1x1 convolution to few channels, which keeps
where things are without a large matrix behind it, and the strongest answer of each filter over all
places, which says what moves how wherever it is and needs not be learned for each place anew.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from edgecrnn.train.encoders._norm import normalised

REDUCTION = 8
DEFAULTS = {"units": 64, "layers": 1, "motion": True, "dropout": 0.2}


def build(input_shape: tuple[int, int, int], width: float) -> Any:
    """float32 [batch, h, w, channels] to [batch, h / 8, w / 8, 16 * width] and [batch, 64 * width].

    Sides that 8 does not divide are rounded up.
    """
    inputs = keras.Input(input_shape)
    x = convolutions(inputs, width)
    summary = layers.MaxPooling2D(x.shape[1:3], name="strongest")(x)
    summary = layers.Flatten(name="summary")(summary)
    place = _conv(x, max(8, round(16 * width)), 1, 1, "squeeze")
    return keras.Model(inputs, [place, summary], name="encoder")


def convolutions(x: Any, width: float) -> Any:
    """[batch, h, w, channels] to [batch, h / 8, w / 8, 64 * width]."""
    first, *wider = (max(8, round(filters * width)) for filters in (16, 32, 64))
    x = _conv(x, first, 3, 2, "conv_0")
    for index, filters in enumerate(wider, 1):
        x = _separable(x, filters, f"conv_{index}")
    return x


def _separable(x: Any, filters: int, name: str) -> Any:
    """Depthwise 3x3 convolution with stride 2, then a 1x1 convolution (Howard et al., 2017)."""
    x = layers.DepthwiseConv2D(3, 2, padding="same", use_bias=False, name=f"{name}_depth")(x)
    x = normalised(x, f"{name}_depth_norm")
    x = layers.ReLU(name=f"{name}_depth_relu")(x)
    return _conv(x, filters, 1, 1, name)


def _conv(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    """Convolution, batch normalisation (folded away on conversion), ReLU."""
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)
    x = normalised(x, f"{name}_norm")
    return layers.ReLU(name=f"{name}_relu")(x)
