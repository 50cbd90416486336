"""What stands in the holes of a picture before anything is learned: the colors around them.

A picture is averaged to smaller ones, holes left out, and each hole is filled with what the next
smaller one shows there (push-pull: Gortler et al., 1996). Plain operators, so that it ships.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from edgecrnn.train.network.layers import scaled

_HALVINGS = 3  # frames can be halved as often
_WIDENINGS = 3  # of the smallest picture, each by a pixel either way
_FARTHER = 0.1  # what a pixel weighs that is one widening away


def known(frame: Any) -> Any:
    """1.0 where a pixel is there, 0.0 where it is black: [batch, height, width, 1].

    Args:
        frame: whole numbers as float32 [batch, height, width, channels], 0 to 255.
    """
    return ops.minimum(ops.max(frame, axis=-1, keepdims=True), 1.0)


def filled(frame: Any, there: Any) -> Any:
    """The frame with its holes filled, 0 to 1; what is there stays as it is.

    Args:
        frame: as above, black in the holes.
        there: what `known` says.
    """
    levels = [(scaled(frame), there)]
    for _ in range(_HALVINGS):
        levels.append(tuple(ops.average_pool(each, 2) for each in levels[-1]))
    seen, weight = levels.pop()
    around, beside, share = seen, weight, 1.0
    for _ in range(_WIDENINGS):
        around, beside = (
            ops.average_pool(each, 3, strides=1, padding="same") for each in (around, beside)
        )
        share *= _FARTHER
        seen, weight = seen + share * around, weight + share * beside
    fill = ops.divide(seen, weight + 1e-6)
    for index, (seen, weight) in enumerate(reversed(levels)):
        fill = layers.UpSampling2D(2, interpolation="bilinear", name=f"fill_{index}")(fill)
        fill = ops.add(seen, ops.multiply(ops.subtract(1.0, weight), fill))
    return fill
