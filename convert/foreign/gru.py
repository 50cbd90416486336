"""The GRU cell out of plain operations, because that is what converts to int8."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="edgecrnn")
class GRUCell(keras.layers.Layer):
    """One GRU step with its state as a value: `h = cell(x, h)`.

    Cho et al. (2014). The gates stand in the order update, reset, candidate, as in
    `keras.layers.GRU`, so that weights carry over.

    Args:
        units: how many.
        reset_after: whether the reset gate works on the state's matrix product (as in cuDNN, the
            default of Keras) or on the state before it (as in the paper).
    """

    def __init__(self, units: int, reset_after: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.reset_after = reset_after

    def build(self, x_shape: Any, h_shape: Any = None) -> None:
        """Weights: kernel [features, 3 units], recurrent_kernel [units, 3 units], two biases."""
        gates = 3 * self.units
        self.kernel = self.add_weight(name="kernel", shape=(x_shape[-1], gates))
        self.recurrent_kernel = self.add_weight(name="recurrent_kernel", shape=(self.units, gates))
        self.bias = self.add_weight(name="bias", shape=(gates,), initializer="zeros")
        self.recurrent_bias = self.add_weight(
            name="recurrent_bias", shape=(gates,), initializer="zeros"
        )
        self.built = True

    def call(self, x: Any, h: Any) -> Any:
        """X float32 [batch, features]; h float32 [batch, units]; gives the new h."""
        units, kernel, bias = self.units, self.recurrent_kernel, self.recurrent_bias
        given = ops.add(ops.matmul(x, self.kernel), self.bias)
        kept = ops.add(ops.matmul(h, kernel[:, : 2 * units]), bias[: 2 * units])
        given_z, given_r, given_h = (given[:, i * units : (i + 1) * units] for i in range(3))
        kept_z, kept_r = (kept[:, i * units : (i + 1) * units] for i in range(2))
        z = ops.sigmoid(ops.add(given_z, kept_z))
        r = ops.sigmoid(ops.add(given_r, kept_r))
        reset = h if self.reset_after else ops.multiply(r, h)
        recalled = ops.add(ops.matmul(reset, kernel[:, 2 * units :]), bias[2 * units :])
        if self.reset_after:
            recalled = ops.multiply(r, recalled)
        candidate = ops.tanh(ops.add(given_h, recalled))
        # z h + (1 - z) candidate, with one product.
        return ops.add(candidate, ops.multiply(z, ops.subtract(h, candidate)))

    def compute_output_spec(self, x: Any, h: Any) -> Any:
        """The new state has the shape of the old one."""
        return keras.KerasTensor(h.shape, h.dtype)

    def get_config(self) -> dict[str, Any]:
        """What `.keras` files keep of the layer."""
        return {**super().get_config(), "units": self.units, "reset_after": self.reset_after}
