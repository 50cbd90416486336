"""Numbers for each cell of a coarse grid: what is there, and where its box lies."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from edgecrnn.train.network.trunk import Trunk, convolved
from edgecrnn.train.tasks import HeadShape


def build(trunk: Trunk, shape: HeadShape) -> Any:
    """float32 [batch, height / 8, width / 8, channels], each 0 to 1."""
    x = convolved(trunk.levels[-1], int(trunk.levels[-1].shape[-1]), "look")
    return ops.sigmoid(layers.Conv2D(shape.channels, 1, name="answer")(x))
