"""A bottleneck of bits, and the decoder that makes the picture of nothing else."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops

from edgecrnn.train.network.heads.picture import DepthToSpace
from edgecrnn.train.network.trunk import Trunk, convolved
from edgecrnn.train.tasks import HeadShape

_DEEP, _MIDDLE, _FINE = 64, 48, 24
_PIXELS = 64  # that a place of the code stands for
_PRICE = 0.2  # of a bit a pixel too many, beside a loss of a few hundredths


def build(trunk: Trunk, shape: HeadShape) -> Any:
    """float32 [batch, height, width, channels], 0 to 255.

    The code that it is made of is `trunk.made["code"]`: whole numbers from 0 to `levels` - 1,
    float32 [batch, height / 8, width / 8, numbers]. What the encoder read goes no other way.
    """
    code = trunk.shared("code", lambda: _code(trunk, shape))
    x = ops.subtract(ops.multiply(code, 2.0 / (shape.levels - 1)), 1.0)
    x = convolved(x, _DEEP, "unfold_3")
    x = ops.add(x, convolved(convolved(x, _DEEP, "unfold_3a"), _DEEP, "unfold_3b"))
    for index, filters in ((2, _MIDDLE), (1, _FINE)):
        x = layers.UpSampling2D(2, interpolation="bilinear", name=f"enlarge_{index}")(x)
        x = convolved(x, filters, f"unfold_{index}")
    x = ops.add(x, convolved(x, _FINE, "unfold_1a"))
    # The last size costs a quarter where four pixels are written at once (Shi et al., 2016).
    numbers = layers.Conv2D(4 * shape.channels, 3, padding="same", name="write")(x)
    picture = DepthToSpace(2, name="spread")(numbers)
    return ops.clip(ops.multiply(picture + 0.5, 255.0), 0.0, 255.0)


def _code(trunk: Trunk, shape: HeadShape) -> Any:
    # Wide from the start: with the usual spread all would round to the two middle values.
    numbers = layers.Conv2D(
        shape.numbers, 1, name="narrow",
        kernel_initializer=keras.initializers.VarianceScaling(8.0),
    )(trunk.levels[-1])  # fmt: skip
    values = ops.multiply(ops.sigmoid(numbers), float(shape.levels - 1))
    return Bottleneck(shape.levels, shape.bits, name="code")(values)


@keras.saving.register_keras_serializable(package="edgecrnn")
class Bottleneck(layers.Layer):
    """Whole numbers; in training, what they cost above a stated size is a loss.

    Gradients pass as if nothing were rounded (Bengio et al., 2013). The cost is that of a coder
    which knows how often a value comes below the one above it; those frequencies are learned beside
    it (Ballé et al., 2017), and between two whole numbers the cost is taken to be straight.

    Args:
        levels: values are 0 to `levels` - 1.
        bits: a pixel, of 64 to a place; what is below costs nothing.
    """

    def __init__(self, levels: int, bits: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.levels, self.bits = levels, bits

    def build(self, shape: Any) -> None:
        """The logarithms of the frequencies, [numbers, above, value]."""
        sizes = (shape[-1], self.levels + 1, self.levels)
        self.known = self.add_weight(sizes, initializer="zeros", name="known")

    def call(self, x: Any, training: bool | None = None) -> Any:
        """One operator of TFLite once it is trained."""
        whole = ops.round(x)
        if not training:
            return whole
        self.add_loss(_PRICE * ops.relu(self._bits_a_pixel(x, whole) - self.bits))
        return ops.add(x, ops.stop_gradient(ops.subtract(whole, x)))

    def _bits_a_pixel(self, x: Any, whole: Any) -> Any:
        """What the batch would take."""
        edge = ops.full_like(whole[:, :1], float(self.levels))
        above = ops.stop_gradient(ops.concatenate([edge, whole[:, :-1]], axis=1))
        beside = ops.one_hot(ops.cast(above, "int32"), self.levels + 1)
        cost = -ops.einsum("byxna,nav->byxnv", beside, ops.log_softmax(self.known)) / math.log(2.0)
        low = ops.stop_gradient(ops.clip(ops.floor(x), 0.0, self.levels - 2.0))
        first = ops.one_hot(ops.cast(low, "int32"), self.levels)
        second = ops.one_hot(ops.cast(low, "int32") + 1, self.levels)
        share = (x - low)[..., None]
        bits = ops.sum(cost * ((1.0 - share) * first + share * second), axis=(3, 4))
        return ops.mean(bits) / _PIXELS

    def compute_output_shape(self, shape: Any) -> Any:
        """The input's."""
        return shape

    def get_config(self) -> dict[str, Any]:
        """What `.keras` files keep of the layer."""
        return {**super().get_config(), "levels": self.levels, "bits": self.bits}
