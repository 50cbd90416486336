"""Numbers for each cell of a coarse grid: what is there, and where its box lies."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from edgecrnn.train.network.trunk import Trunk, convolved
from edgecrnn.train.tasks import HeadShape


def build(trunk: Trunk, shape: HeadShape) -> Any:
    """float32 [batch, height / 8, width / 8, channels], each 0 to 1.

    Whether a cell is a box's, the box, and its class come of a convolution each: in int8 each then
    has the range of its own numbers. In one, what is surely not there takes nearly the whole range,
    and a box's width is left with steps of more than a pixel.
    """
    x = convolved(trunk.levels[-1], int(trunk.levels[-1].shape[-1]), "look")
    parts = (("there", 1), ("box", 4), ("class", shape.channels - 5))
    return ops.concatenate(
        [ops.sigmoid(layers.Conv2D(count, 1, name=name)(x)) for name, count in parts], axis=-1
    )
