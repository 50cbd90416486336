"""The decoder: the encoder reversed, from the LSTM's blocks back to pixels."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from edgecrnn.train.network.trunk import Trunk, convolved
from edgecrnn.train.tasks import HeadShape

# A picture made of noise is made by the decoder; what a pixel shows is known only with what lies
# far from it; a frame is mended of what lies near.
_MOST_FIRST = ("pixels", "one", "each", "change", "holes")


def build(trunk: Trunk, shape: HeadShape) -> Any:
    """float32 [batch, height, width, channels], or `scale` times as high and wide.

    Each size is enlarged by resizing and convolving, which leaves no checkerboard (Odena et al.,
    2016), and added to what the encoder read at that size.
    """
    # What two heads write of one decoder's few numbers, each writes badly.
    name = f"_{shape.form}" if trunk.writers else ""
    # What is made of noise has no use for the noise of single pixels. Alone an encoder can learn to
    # pass none; beside a task that reads pictures, less was covered with it.
    unread = (0, 1) if trunk.writers and shape.form == "pixels" else ()
    x = _decoded(trunk, name, cheap_levels(trunk.writers, shape.form), unread)
    change = shape.form in ("change", "holes")
    numbers = layers.Conv2D(
        shape.channels * shape.scale**2, 3, padding="same", name=f"write_{shape.form}",
        # The first answer is the frame itself.
        kernel_initializer="zeros" if change else "glorot_uniform",
    )(x)  # fmt: skip
    if shape.scale > 1:
        numbers = DepthToSpace(shape.scale, name="spread")(numbers)
    if shape.form == "holes":
        # What is there passes as it is, to the last level.
        made = ops.clip(ops.add(trunk.filled, numbers), 0.0, 1.0)
        written = ops.multiply(made, 255.0 * ops.subtract(1.0, trunk.there))
        return ops.add(ops.multiply(trunk.frame, trunk.there), written)
    if change:
        frame = trunk.frame
        if shape.scale > 1:
            enlarged = layers.UpSampling2D(shape.scale, interpolation="bilinear", name="enlarged")
            frame = enlarged(frame)
        return ops.clip(ops.add(frame, ops.multiply(numbers, 255.0)), 0.0, 255.0)
    if shape.form == "pixels":
        return ops.multiply(ops.sigmoid(numbers), 255.0)
    return ops.softmax(numbers) if shape.form == "one" else ops.sigmoid(numbers)


def cheap_levels(writers: tuple[str, ...], form: str) -> tuple[int, ...]:
    """Which sizes (1: a half of the frame's, 2: a quarter) a head decodes cheaply.

    Most of what a network costs is its decoder, and two heads have to cost much less than two
    networks. Of two that write, the one that needs its decoder most keeps all of it.

    Args:
        writers: as a `Trunk` says.
        form: of the head.
    """
    if not writers:
        return ()
    if len(writers) == 1:
        return (2,)
    return () if form == min(writers, key=_MOST_FIRST.index) else (1, 2)


def _decoded(trunk: Trunk, name: str, cheap: tuple[int, ...], unread: tuple[int, ...] = ()) -> Any:
    x = trunk.levels[-1]
    for index in range(len(trunk.levels) - 2, -1, -1):
        level = trunk.levels[index]
        filters, which = int(level.shape[-1]), f"{index}{name}"
        x = layers.Conv2D(filters, 1, name=f"narrow_{which}")(x)
        x = layers.UpSampling2D(2, interpolation="bilinear", name=f"enlarge_{which}")(x)
        if index not in unread:
            x = ops.add(x, level)
        if index in cheap:
            # Each filter for itself, then across them (Howard et al., 2017): a seventh of the cost.
            x = layers.DepthwiseConv2D(3, padding="same", name=f"smooth_{which}")(x)
            x = layers.Conv2D(filters, 1, activation="relu", name=f"write_{which}")(x)
        else:
            x = convolved(x, filters, f"write_{which}")
    return x


@keras.saving.register_keras_serializable(package="edgecrnn")
class DepthToSpace(layers.Layer):
    """Channels to places (Shi et al., 2016): [b, h, w, s * s * c] to [b, h * s, w * s, c]."""

    def __init__(self, scale: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x: Any) -> Any:
        """One operator of TFLite."""
        return tf.nn.depth_to_space(x, self.scale)

    def compute_output_shape(self, shape: Any) -> Any:
        """Larger by the scale, fewer channels."""
        batch, height, width, channels = shape
        return batch, height * self.scale, width * self.scale, channels // self.scale**2

    def get_config(self) -> dict[str, Any]:
        """What `.keras` files keep of the layer."""
        return {**super().get_config(), "scale": self.scale}
