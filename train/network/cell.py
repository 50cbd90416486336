"""The LSTM cell out of plain operations, because that is what converts to int8."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from edgecrnn.train.network.rounding import Rounding, as_it_is


@keras.saving.register_keras_serializable(package="edgecrnn")
class LSTMCell(keras.layers.Layer):
    """One LSTM step with its state as a value: `h, c = cell(x, h, c)`.

    Hochreiter and Schmidhuber (1997) with forget gates (Gers et al., 2000); the gates stand in
    the order input, forget, candidate, output, as in `keras.layers.LSTM`, so that weights carry
    over. `keras.layers.LSTM` itself becomes a WHILE loop over tensor lists, which the int8
    converter refuses.

    Args:
        units: how many.
        clip: bound on the cell state c, either way (Sak et al., 2014); 0 for none. On an endless
            stream an unbounded state counts on for ever, and eight bits cannot hold both what it
            counted and the next step. A bound of 1 costs no operator: the addition has it built in.
    """

    def __init__(self, units: int, clip: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.clip = clip

    def build(self, x_shape: Any, h_shape: Any = None, c_shape: Any = None) -> None:
        """Weights: kernel [features, 4 units], recurrent_kernel [units, 4 units], bias."""
        self.kernel = self.add_weight(
            name="kernel", shape=(x_shape[-1], 4 * self.units), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, 4 * self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(4 * self.units,), initializer=_forget_bias)
        self.built = True

    def call(self, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        """X float32 [batch, features]; h, c float32 [batch, units]; gives the new (h, c)."""
        return self.advance(self.project(x), h, c)

    def project(self, x: Any) -> Any:
        """The input's share of the gates, [..., features] to [..., 4 units]; needs no state."""
        return ops.add(ops.matmul(x, self.kernel), self.bias)

    def advance(
        self, projected: Any, h: Any, c: Any, rounded: Rounding = as_it_is
    ) -> tuple[Any, Any]:
        """One step from `projected` float32 [batch, 4 units] and the state (h, c).

        Args:
            projected: what `project` gave.
            h: float32 [batch, units].
            c: float32 [batch, units].
            rounded: called with each tensor that an int8 graph would round.
        """
        recurrent = rounded(ops.matmul(h, self.recurrent_kernel), "gates")
        gates = rounded(ops.add(projected, recurrent), "gates")
        # Slices, not a split: a first step from a zero state needs no forget gate, and a split
        # with an output that nothing reads does not quantize.
        i, f, g, o = (gates[:, k * self.units : (k + 1) * self.units] for k in range(4))
        i, f, o = (rounded(ops.sigmoid(gate), "sigmoid") for gate in (i, f, o))
        kept = rounded(ops.multiply(f, c), "cell")
        c = ops.add(kept, rounded(ops.multiply(i, rounded(ops.tanh(g), "tanh")), "tanh"))
        if self.clip:
            c = ops.clip(c, -self.clip, self.clip)
        c = rounded(c, "cell")
        return rounded(ops.multiply(o, rounded(ops.tanh(c), "tanh")), "tanh"), c

    def compute_output_spec(self, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        """The new state has the shape of the old one."""
        return keras.KerasTensor(h.shape, h.dtype), keras.KerasTensor(c.shape, c.dtype)

    def get_config(self) -> dict[str, Any]:
        """What `.keras` files keep of the layer."""
        return {**super().get_config(), "units": self.units, "clip": self.clip}


def _forget_bias(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Zeros, and ones for the forget gate (Jozefowicz et al., 2015)."""
    units = shape[0] // 4
    return ops.concatenate(
        [ops.zeros(units, dtype), ops.ones(units, dtype), ops.zeros(2 * units, dtype)]
    )
