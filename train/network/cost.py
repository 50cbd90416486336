"""What a frame costs: the multiply-adds of one step of the graph that ships.

Counted as in Howard et al., 2017 (MobileNets): each weight of a convolution or a matrix product
times the places it is used at. Activations, additions of states and normalisation, which conversion
folds away, are left out.
"""

from __future__ import annotations

import math
from typing import Any

from keras import layers

from edgecrnn.train.network.cell import LSTMCell
from edgecrnn.train.network.network import Network, step_features


def multiply_adds(network: Network) -> int:
    """Of one frame of a stream, or of one whole picture."""
    settings = network.settings
    steps, passes = 1, 1
    if settings.sequence == "columns":
        steps = int(network.encoder.outputs[0].shape[2])
    elif settings.sequence == "patches":
        steps = passes = settings.blocks**2
    features, remembered = step_features(network.encoder, settings), 0
    for _ in network.cells:
        remembered += (features + settings.units) * 4 * settings.units
        features = settings.units
    decided = settings.units * int(network.head.units)
    return passes * encoder_multiply_adds(network.encoder) + steps * remembered + decided


def encoder_multiply_adds(encoder: Any) -> int:
    """Of one pass of a Keras model's convolutions and dense layers."""
    return sum(_of_layer(layer) for layer in encoder._flatten_layers(include_self=False))


def _of_layer(layer: Any) -> int:
    """A kernel is used once at each place of its output; a depthwise one has no filters to sum."""
    if isinstance(layer, layers.DepthwiseConv2D | layers.Conv2D):
        _, rows, columns, _ = layer.output.shape
        return int(rows) * int(columns) * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        places = math.prod(int(side) for side in layer.output.shape[1:-1])
        return places * math.prod(layer.kernel.shape)
    return 0


def model_multiply_adds(model: Any) -> int:
    """Of one call of a functional Keras model; a layer that is used several times counts so."""
    return sum(len(layer._inbound_nodes) * _of_part(layer) for layer in model.layers)


def _of_part(layer: Any) -> int:
    if isinstance(layer, LSTMCell):
        return math.prod(layer.kernel.shape) + math.prod(layer.recurrent_kernel.shape)
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape)
    return _of_layer(layer)
