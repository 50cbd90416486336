"""What two heads ask of the network that they share, made to weigh alike."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from edgecrnn.train.network.trunk import Trunk


def balanced(trunk: Trunk, name: str) -> Trunk:
    """The trunk as one of several heads reads it; `name` is that of its answer."""
    read = [*trunk.levels, trunk.state, trunk.summary]
    *levels, state, summary = Alike(name=f"alike_{name}")(read)
    return dataclasses.replace(trunk, levels=tuple(levels), state=state, summary=summary)


@keras.saving.register_keras_serializable(package="edgecrnn")
class Alike(layers.Layer):
    """Passes on what it is given; in training, the gradient that comes back has length one.

    The length is that of all its tensors together. Else the task with the steeper loss has the
    shared network for itself, however the two losses are weighed (Chen et al., 2018, balance
    gradients for the same reason); heads have weights of their own, and an optimizer to which
    lengths are nothing.
    """

    def call(self, tensors: Any, training: bool | None = None) -> Any:
        """The same tensors; nothing of it is left in what ships."""
        return list(_alike(*tensors)) if training else list(tensors)

    def compute_output_shape(self, shapes: Any) -> Any:
        """The inputs'."""
        return shapes


@tf.custom_gradient
def _alike(*tensors: Any) -> Any:
    def gradient(*asked: Any) -> Any:
        # A head whose weights are zero yet asks for nothing.
        scale = tf.math.divide_no_nan(1.0, tf.linalg.global_norm(asked))
        return [each * scale for each in asked]

    return [tf.identity(each) for each in tensors], gradient
