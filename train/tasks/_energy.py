"""How far made pictures are distributed from true ones, as a loss: the batch's energy distance.

It is least where made pictures, each with its class, are distributed as the true ones are: they
have to be near to true ones, and as far from each other (Székely and Rizzo, 2013). It can be taken
of pixels or of features; where it is taken decides what counts as near.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

_FEATURES = (32, 64, 128)  # of three random convolutions, each at half the size before
_SPREAD = 0.25  # that features are scaled to, about that of pixels


def apart(labels: Any, weight: float) -> Any:
    """What parts each two of a batch because their classes are two, [batch, batch].

    Args:
        labels: numbers of the classes, float32 [batch, 1].
        weight: how far two classes are apart.
    """
    from keras import ops

    return weight * ops.cast(ops.not_equal(labels, ops.transpose(labels)), "float32")


def energy(made: Any, true: Any, parted: Any) -> Any:
    """Each made one's part of the energy distance, float32 [batch].

    Args:
        made: float32 [batch, ...].
        true: as many of the same shape; the n-th is of the n-th's class.
        parted: what `apart` gave.
    """
    from keras import ops

    itself = ops.eye(ops.shape(made)[0])
    near, between = _distances(made, true, parted), _distances(made, made, parted)
    others = ops.sum(between * (1.0 - itself), axis=1) / (ops.sum(1.0 - itself, axis=1) + 1e-6)
    return 2.0 * ops.mean(near, axis=1) - others


def energy_of_maps(made: Any, true: Any, parted: Any) -> Any:
    """The same over several maps of features, each with the weight that pixels have."""
    from keras import ops

    cost: Any = 0.0
    for one, other in zip(made, true, strict=True):
        middle = ops.mean(other, axis=0, keepdims=True)
        spread = ops.sqrt(ops.mean(ops.square(other - middle))) + 1e-3
        scale = ops.stop_gradient(_SPREAD / spread)
        cost = cost + energy(one * scale, other * scale, parted)
    return cost


def random_features(pictures: Any) -> list[Any]:
    """Maps of features that nothing was learned for: edges and their neighbourhoods.

    Random convolutions tell textures apart nearly as well as trained ones (Ulyanov et al., 2018;
    Saxe et al., 2011).

    Args:
        pictures: float32 [batch, height, width, channels], 0 to 1.
    """
    from keras import ops

    x, maps = 2.0 * pictures - 1.0, []
    for kernel in _kernels(int(pictures.shape[-1])):
        x = ops.leaky_relu(ops.conv(x, kernel, strides=2, padding="same"), 0.2)
        maps.append(x)
    return maps


@cache
def _kernels(channels: int) -> tuple[npt.NDArray[np.float32], ...]:
    rng, kernels = np.random.default_rng(0), []
    for filters in _FEATURES:
        spread = np.sqrt(2.0 / (9 * channels))
        kernels.append(rng.normal(0.0, spread, (3, 3, channels, filters)).astype(np.float32))
        channels = filters
    return tuple(kernels)


def _distances(some: Any, others: Any, parted: Any) -> Any:
    """Root of the mean square between each two, [batch, batch], and of what parts classes."""
    from keras import ops

    x, y = (ops.reshape(each, (ops.shape(each)[0], -1)) for each in (some, others))
    numbers = ops.cast(ops.shape(x)[1], "float32")
    squares = ops.sum(ops.square(x), 1)[:, None] + ops.sum(ops.square(y), 1)[None]
    squares = (squares - 2.0 * ops.matmul(x, ops.transpose(y))) / numbers
    return ops.sqrt(ops.maximum(squares, 0.0) + parted + 1e-6)
