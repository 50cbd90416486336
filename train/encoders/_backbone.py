"""What encoders out of keras.applications share: their input, their weights, their two readings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.encoders import OWN
from edgecrnn.train.encoders._norm import normalised

IMAGENET = "imagenet"
_PLACE_CHANNELS = 64

# Makes the backbone without its top: (input tensor, "imagenet" or None) to a Keras model.
Make = Callable[[Any, str | None], Any]


def backbone_encoder(make: Make, input_shape: tuple[int, int, int], weights: str) -> Any:
    """float32 [batch, h, w, channels] in 0..1 to a map of places and an average over them.

    Args:
        make: the backbone; it reads -1..1.
        input_shape: (h, w, channels). Weights that were learned on three channels fit other numbers
            too: summed over the colours for grey frames, zero at first on the difference to the
            frame before.
        weights: "imagenet", a `.weights.h5` file of the backbone, or "" for random ones.

    Raises:
        EdgecrnnError: the weights cannot be had, or are not this backbone's.
    """
    inputs = keras.Input(input_shape)
    backbone = make(layers.Rescaling(2.0, -1.0, name="centre")(inputs), None)
    if weights:
        height, width, _ = input_shape
        source = _learned(make, (height, width, 3), weights)
        for layer, learned in zip(
            backbone.layers[-len(source.layers) + 1 :], source.layers[1:], strict=True
        ):
            _copy(layer, learned)
    x = backbone.output
    place = layers.Conv2D(_PLACE_CHANNELS, 1, use_bias=False, name=OWN)(x)
    place = normalised(place, f"{OWN}_norm")
    place = layers.ReLU(name=f"{OWN}_relu")(place)
    average = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, [place, average], name="encoder")


def _learned(make: Make, input_shape: tuple[int, int, int], weights: str) -> Any:
    """The backbone for colour frames with the weights in it."""
    try:
        if weights == IMAGENET:
            return make(keras.Input(input_shape), IMAGENET)
        source = make(keras.Input(input_shape), None)
        source.load_weights(Path(weights))
        return source
    except Exception as error:
        what = "a download of Keras's" if weights == IMAGENET else "a .weights.h5 of this backbone"
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:150]
        raise EdgecrnnError(
            f"weights: expected {what}, got {weights!r} ({said}); give a file of the same backbone "
            "without its top and of the same width, or leave out --weights"
        ) from error


def _copy(layer: Any, learned: Any) -> None:
    """The learned values, fitted to another number of input channels where it differs."""
    values = []
    for weight, value in zip(layer.weights, learned.weights, strict=True):
        known = np.asarray(ops.convert_to_numpy(value))
        if tuple(weight.shape) != known.shape:
            channels = int(weight.shape[2])
            if channels in (1, 2):
                known = known.sum(axis=2, keepdims=True)
            added = np.zeros((*known.shape[:2], channels - known.shape[2], known.shape[3]))
            known = np.concatenate([known, added], axis=2)
        values.append(known)
    layer.set_weights(values)
