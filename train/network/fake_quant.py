"""Quantization-aware training: the network as int8 will compute it, in float and differentiable.

Weights and activations are rounded to the steps that eight bits leave them, and the gradient passes
as if they were not (Jacob et al., 2018): so training moves the weights to where rounding changes
little. The recurrent state is rounded at each step too, since its errors come back.

Ranges are those of the tensor itself in this window; sigmoid, tanh and frames have theirs by
nature. Nothing is learned or kept beside the weights: `convert` measures ranges anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from edgecrnn.train.network.clip_graph import clip
from edgecrnn.train.network.network import Network, zero_states
from edgecrnn.train.network.picture import picture
from edgecrnn.train.network.rounding import Rounding, as_it_is
from edgecrnn.train.tasks import Task, task_of

# Ranges that int8 has for every model, in whole steps of 1/256 and 1/128.
_KNOWN = {"sigmoid": (0.0, 255 / 256), "tanh": (-1.0, 127 / 128), "frame": (-1.0, 1.0)}
_ROUNDED = "int8_"
# Weight of the divergence of the two passes beside their losses.
_AGREEMENT = 1.0


@dataclass(frozen=True)
class QuantizedTrainee:
    """The network twice over the same weights, in float and as int8; the two are made to agree.

    The states of the int8 pass stand beside the float ones, named `int8_<state>`.
    """

    network: Network
    rounded_encoder: Any

    @property
    def task(self) -> Task:
        """What is learned."""
        return task_of(self.network.settings.task)

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""
        return self.network.weights

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        return self.network.trainable_weights

    @property
    def dropout_seed(self) -> Any:
        """The variable that dropout draws its seeds from."""
        return self.network.seeds.state

    def zero_states(self, batch: int) -> dict[str, Any]:
        """The state at the start of a stream, for both passes; {} for pictures."""
        states = zero_states(self.network, batch)
        return {**states, **{f"{_ROUNDED}{name}": value for name, value in states.items()}}

    def __call__(
        self, frames: Any, states: Mapping[str, Any], training: bool
    ) -> tuple[Any, dict[str, Any]]:
        """The int8 pass: float32 [batch, time, h, w, channels] to (logits, states)."""
        own = {
            name.removeprefix(_ROUNDED): value
            for name, value in states.items()
            if name.startswith(_ROUNDED)
        }
        with keras.StatelessScope(state_mapping=_rounded_weights(self.network)):
            network = dataclasses.replace(self.network, encoder=self.rounded_encoder)
            logits, new = _pass(network, frames, own, self._rounded)
        return logits, {**states, **{f"{_ROUNDED}{name}": value for name, value in new.items()}}

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """The losses of both passes and how far they are apart; the logits are int8's.

        Normalisation keeps the statistics that it was trained with: the int8 graph has them in its
        weights.
        """
        floats = {name: value for name, value in states.items() if _ROUNDED not in name}
        exact, new = _pass(self.network, frames, floats, as_it_is)
        logits, both = self(frames, {**states, **new}, True)
        task = self.task
        losses = task.loss(exact, targets, smoothing) + task.loss(logits, targets, smoothing)
        return losses + _AGREEMENT * task.apart(exact, logits), logits, both

    def _rounded(self, tensor: Any, kind: str) -> Any:
        return round_activation(tensor, kind, self.network.settings.cell_clip)


def quantized_trainee(network: Network) -> QuantizedTrainee:
    """The trained network, ready to be trained for int8."""

    def rounded_call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        result = layer(*args, **kwargs)
        return _Rounding()(result) if _ends_in_activation(layer) else result

    encoder = keras.models.clone_model(
        network.encoder, clone_function=lambda layer: layer, call_function=rounded_call
    )
    return QuantizedTrainee(network, encoder)


def round_activation(tensor: Any, kind: str, cell_clip: float = 0.0) -> Any:
    """The tensor at the 256 values of its range that int8 can hold; the gradient passes inside.

    Args:
        tensor: float32.
        kind: of range, see `Rounding`.
        cell_clip: bound on the cell state, 0 for none.
    """
    if kind in _KNOWN:
        low, high = _KNOWN[kind]
    elif kind == "cell" and cell_clip:
        low, high = -cell_clip, cell_clip
    else:
        low = tf.stop_gradient(tf.minimum(tf.reduce_min(tensor), 0.0))
        high = tf.stop_gradient(tf.maximum(tf.reduce_max(tensor), low + 1e-6))
    return tf.quantization.fake_quant_with_min_max_vars(tensor, low, high)


def round_weight(weight: Any) -> Any:
    """A kernel at the 255 values that int8 has for each output channel, symmetric around zero.

    A filter that normalisation scales afterwards rounds to the same steps as the scaled one.

    Args:
        weight: float32, output channels last; [h, w, channels, 1] for depthwise convolutions.
    """
    shape = ops.shape(weight)
    flat = ops.reshape(weight, (-1, shape[-1] if shape[-1] > 1 else shape[-2]))
    bound = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(flat), axis=0), 1e-9))
    rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        flat, -bound, bound, narrow_range=True
    )
    return ops.reshape(rounded, shape)


def _pass(
    network: Network, frames: Any, states: Mapping[str, Any], rounded: Rounding
) -> tuple[Any, dict[str, Any]]:
    """float32 [batch, time, h, w, channels] to (logits [batch, time, classes], new states)."""
    if network.settings.sequence == "time":
        return clip(network, frames, states, rounded=rounded)
    return picture(network, frames[:, 0], rounded=rounded)[:, None], {}


def _rounded_weights(network: Network) -> list[tuple[Any, Any]]:
    """Each kernel with its rounded value; biases are int32 on the device and lose nothing."""
    kernels = [weight for weight in network.trainable_weights if len(weight.shape) > 1]
    return [(kernel, round_weight(kernel.value)) for kernel in kernels]


def _ends_in_activation(layer: Any) -> bool:
    """Whether an int8 graph rounds what the layer gives.

    Convolution, normalisation and activation become one operator, which rounds once.
    """
    if isinstance(layer, keras.layers.ReLU | keras.layers.Activation):
        return True
    return getattr(layer, "activation", keras.activations.linear) is not keras.activations.linear


class _Rounding(keras.layers.Layer):
    """`round_activation` inside a functional model."""

    def call(self, tensor: Any) -> Any:
        """Any shape."""
        return round_activation(tensor, "features")
