"""What stands in the holes of a picture before anything is learned: the colors around them.

A picture is averaged to smaller ones, holes left out; each hole is filled with what the next
smaller one shows there (push-pull: Gortler et al., 1996) and smoothed towards its border, as heat
flows (Bertalmio et al., 2000, go on from there). Plain operators, so that it ships.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from edgecrnn.train.network.layers import scaled

_HALVINGS = 3  # frames can be halved as often
_SURE = 1 / 8  # share of a place that has to be there for its color to count in full
_SMOOTHINGS = (8, 0, 6, 12)  # at 1/8, 1/4, 1/2 and the whole of the size
_BLACK = 3.0  # levels, which JPEG makes of 0
_BORDER = 5  # pixels a side around a black one that a resized or packed hole may darken
# A border is whole where it is nearly as light as what lies around: of a frame, and of a pixel.
_WHOLE_FRAME, _WHOLE_PIXEL = 0.85, 0.9


def known(frame: Any) -> Any:
    """1.0 where a pixel is there, 0.0 where it is black: [batch, height, width, 1].

    Where pictures were made smaller after holes came into them, or packed as JPEG, a hole's border
    is half of it black. Only in frames whose borders are darker than what is around them, pixels
    there count as far as they are not dark; in all others they count in full.

    Args:
        frame: whole numbers as float32 [batch, height, width, channels], 0 to 255.
    """
    light = ops.max(frame, axis=-1, keepdims=True)
    black = ops.subtract(1.0, ops.clip(light - _BLACK, 0.0, 1.0))
    near, beside = (ops.max_pool(black, side, strides=1, padding="same") for side in (_BORDER, 3))
    sure = ops.subtract(1.0, near)
    around = filled(ops.multiply(frame, sure), sure, "around")
    light, expected = (ops.mean(each, axis=-1, keepdims=True) for each in (scaled(frame), around))
    lighter = ops.multiply(beside - black, light - _WHOLE_FRAME * expected)
    # Steep: the mean is over all pixels, and few of them lie beside holes.
    sharp = ops.clip(1000.0 * ops.mean(lighter, axis=(1, 2), keepdims=True), 0.0, 1.0)
    whole = ops.clip(20.0 * (light - _WHOLE_PIXEL * expected), 0.0, 1.0)
    return ops.add(sure, ops.multiply(near - black, ops.maximum(sharp, whole)))


def filled(frame: Any, there: Any, name: str = "fill") -> Any:
    """The frame with its holes filled, 0 to 1; what is there stays as it is.

    Args:
        frame: as above.
        there: how far each pixel counts, as `known` says; the rest is filled.
        name: of the layers.
    """
    levels = [(ops.multiply(scaled(frame), there), there)]
    for _ in range(_HALVINGS):
        levels.append(tuple(ops.average_pool(each, 2) for each in levels[-1]))
    seen, weight = levels.pop()
    # No divisor is near zero, which eight bits would make zero.
    middle, share = (ops.mean(each, axis=(1, 2), keepdims=True) for each in (seen, weight))
    fill = ops.divide(middle, ops.maximum(share, _SURE**2))
    seen = ops.divide(seen, ops.maximum(weight, _SURE))
    levels.append((seen, ops.minimum(ops.multiply(weight, 1.0 / _SURE), 1.0)))
    for index, (seen, weight) in enumerate(reversed(levels)):
        if index:
            fill = layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_{index}")(fill)
        missing = ops.subtract(1.0, weight)
        fill = ops.add(seen, ops.multiply(missing, fill))
        for _ in range(_SMOOTHINGS[index]):
            fill = ops.add(seen, ops.multiply(missing, _around(fill)))
    return fill


def _around(x: Any) -> Any:
    """The mean of each place and its eight neighbours."""
    return ops.average_pool(x, 3, strides=1, padding="same")
