"""The graph over one picture: the LSTM steps over its columns, or over its blocks."""

from __future__ import annotations

from typing import Any

from keras import ops

from edgecrnn.train.network.layers import as_list, dropout, flatten, frame_features, scaled
from edgecrnn.train.network.rounding import Rounding, as_it_is
from edgecrnn.train.network.settings import NetworkSettings


def picture(network: Any, frames: Any, training: bool = False, rounded: Rounding = as_it_is) -> Any:
    """Logits [batch, classes] of pictures float32 [batch, height, width, channels] in 0..255."""
    steps = picture_steps(network.encoder, network.settings, frames, training)
    return remember_steps(network, steps, training, rounded)


def remember_steps(
    network: Any, steps: Any, training: bool = False, rounded: Rounding = as_it_is
) -> Any:
    """The memory's share of `picture`: logits of features [batch, steps, features]."""
    x = steps
    for cell in network.cells:
        x = _unrolled(cell, rounded(dropout(network, x, training), "features"), rounded)
    # The last step has forgotten some of the first; the mean hears all of them alike.
    read = ops.mean(x, axis=1) if network.settings.readout == "mean" else x[:, -1]
    return rounded(network.head(dropout(network, read, training)), "logits")


def picture_steps(
    encoder: Any, settings: NetworkSettings, frames: Any, training: bool = False
) -> Any:
    """Features [batch, steps, features] of a picture's columns, or blocks in reading order."""
    frames = scaled(frames)
    if settings.sequence == "columns":
        maps = as_list(encoder(frames, training=training))[0]
        bands = [flatten(maps[:, :, column, :]) for column in range(maps.shape[2])]
        return ops.stack(bands, axis=1)
    blocks = settings.blocks
    height, width = frames.shape[1] // blocks, frames.shape[2] // blocks
    cut = [
        frames[:, row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(blocks)
        for column in range(blocks)
    ]
    features = frame_features(encoder(ops.concatenate(cut, axis=0), training=training))
    return ops.stack(ops.split(features, blocks * blocks, axis=0), axis=1)


def _unrolled(cell: Any, x: Any, rounded: Rounding) -> Any:
    """The cell over the steps of x [batch, steps, features] from zero."""
    h = c = ops.zeros_like(x[:, 0, :1]) + ops.zeros((1, cell.units))
    outputs = []
    for index in range(x.shape[1]):
        # Called as a layer where it can be: the shipped graph must hold the layer itself.
        if rounded is as_it_is:
            h, c = cell(x[:, index], h, c)
        else:
            projected = rounded(cell.project(x[:, index]), "gates")
            h, c = cell.advance(projected, h, c, rounded)
        outputs.append(h)
    return ops.stack(outputs, axis=1)
