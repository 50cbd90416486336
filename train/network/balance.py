"""What two heads ask of the network that they share, made to weigh alike."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from edgecrnn.train.network.trunk import Trunk


def balanced(trunk: Trunk, name: str, length: float) -> Trunk:
    """The trunk as one of several heads reads it.

    Args:
        trunk: as it was built.
        name: of the head's answer.
        length: of what the head asks of it, beside the others.
    """
    read = [*trunk.levels, trunk.state, trunk.summary]
    *levels, state, summary = Alike(length, name=f"alike_{name}")(read)
    return dataclasses.replace(trunk, levels=tuple(levels), state=state, summary=summary)


@keras.saving.register_keras_serializable(package="edgecrnn")
class Alike(layers.Layer):
    """Passes on what it is given; in training, the gradient that comes back has a stated length.

    The length is that of all its tensors together. Else the task with the steeper loss has the
    shared network for itself, however the two losses are weighed (Chen et al., 2018, balance
    gradients for the same reason); heads have weights of their own, and an optimizer to which
    lengths are nothing.

    Args:
        length: of the gradient.
    """

    def __init__(self, length: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def call(self, tensors: Any, training: bool | None = None) -> Any:
        """The same tensors; nothing of it is left in what ships."""
        return list(_alike(self.length, tensors)) if training else list(tensors)

    def compute_output_shape(self, shapes: Any) -> Any:
        """The inputs'."""
        return shapes

    def get_config(self) -> dict[str, Any]:
        """What `.keras` files keep of the layer."""
        return {**super().get_config(), "length": self.length}


def _alike(length: float, tensors: Any) -> Any:
    @tf.custom_gradient
    def passed(*given: Any) -> Any:
        def gradient(*asked: Any) -> Any:
            # A head whose weights are zero yet asks for nothing.
            scale = tf.math.divide_no_nan(length, tf.linalg.global_norm(asked))
            return [each * scale for each in asked]

        return [tf.identity(each) for each in given], gradient

    return passed(*tensors)
