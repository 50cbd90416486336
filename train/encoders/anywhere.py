"""`light` without places: of each filter only its strongest answer in the whole frame is kept.

What moves how, and what it is made of, is then said wherever it is. Nothing can be learned by heart
of one camera's background, and the memory's matrix is a tenth: for clips of few recordings. Where a
thing is, it cannot tell, but from differences between frames it can tell where it goes.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from edgecrnn.train.encoders import light

REDUCTION = light.REDUCTION
DEFAULTS = light.DEFAULTS


def build(input_shape: tuple[int, int, int], width: float) -> Any:
    """float32 [batch, h, w, channels] to [batch, 1, 1, 64 * width]."""
    inputs = keras.Input(input_shape)
    x = light.convolutions(inputs, width)
    return keras.Model(
        inputs, [layers.MaxPooling2D(x.shape[1:3], name="strongest")(x)], name="encoder"
    )
