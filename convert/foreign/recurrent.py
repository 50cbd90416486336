"""A recurrent layer of Keras as the written-out cell with the same weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from edgecrnn.convert.foreign.gru import GRUCell
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.cell import LSTMCell

_SUPPORTED = "LSTM and GRU with tanh and sigmoid"


def is_recurrent(operation: Any) -> bool:
    """A layer that steps over a sequence, or two of them in both directions."""
    return isinstance(operation, keras.layers.RNN | keras.layers.Bidirectional)


def written_out(layer: Any, name: str) -> Any:
    """The cell of `keras.layers.LSTM`, `GRU` or `RNN` over one such cell, its weights copied.

    Args:
        layer: built.
        name: of the cell.

    Raises:
        EdgecrnnError: no cell of ours computes the same; the layer is named.
    """
    cell = layer.cell
    if not isinstance(cell, keras.layers.LSTMCell | keras.layers.GRUCell):
        kind = type(layer) if type(layer) is not keras.layers.RNN else type(cell)
        raise _refused(layer, f"got {kind.__name__}")
    given = [keras.activations.serialize(f) for f in (cell.activation, cell.recurrent_activation)]
    if given != ["tanh", "sigmoid"]:
        raise _refused(layer, f"got {type(cell).__name__} with {given[0]} and {given[1]}")
    made: Any
    features = int(cell.kernel.shape[0])
    if isinstance(cell, keras.layers.LSTMCell):
        made = LSTMCell(cell.units, name=name)
        made.build((None, features))
        made.bias.assign(cell.bias if cell.use_bias else ops.zeros(4 * cell.units))
    else:
        made = GRUCell(cell.units, bool(cell.reset_after), name=name)
        made.build((None, features))
        if cell.use_bias:
            made.bias.assign(cell.bias[0] if cell.reset_after else cell.bias)
            if cell.reset_after:
                made.recurrent_bias.assign(cell.bias[1])
    made.kernel.assign(cell.kernel)
    made.recurrent_kernel.assign(cell.recurrent_kernel)
    return made


def states_of(cell: Any) -> tuple[str, ...]:
    """The names of the cell's states: h and c, or h."""
    return ("h", "c") if isinstance(cell, LSTMCell) else ("h",)


def advance(cell: Any, x: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
    """One step: the new state, of which the first is the output."""
    new = cell(x, *state)
    return tuple(new) if isinstance(new, tuple | list) else (new,)


def unrolled(layer: Any, cell: Any, x: Any) -> tuple[Any, tuple[Any, ...]]:
    """The cell over all steps of x [batch, steps, features] from a zero state.

    Returns:
        What the layer gives, [batch, steps, units] or [batch, units]; and the last state.

    Raises:
        EdgecrnnError: the number of steps is not known.
    """
    if x.shape[1] is None:
        raise EdgecrnnError(
            f"{layer.name}: expected a known number of steps for the recurrent layer, got any; "
            "build the model for one size"
        )
    # Laid flat first: a slice that also drops an axis is one that XNNPACK leaves to the CPU.
    features = x.shape[2]
    flat = ops.reshape(x, (-1, x.shape[1] * features))
    zero = ops.zeros_like(flat[:, :1]) + ops.zeros((1, cell.units))
    state = tuple(zero for _ in states_of(cell))
    steps = range(x.shape[1])
    outputs = []
    for index in reversed(steps) if layer.go_backwards else steps:
        state = advance(cell, flat[:, index * features : (index + 1) * features], state)
        outputs.append(state[0])
    return ops.stack(outputs, axis=1) if layer.return_sequences else outputs[-1], state


def merged(layer: Any, forward: Any, backward: Any) -> Any:
    """What `Bidirectional` makes of its two layers' outputs."""
    if layer.return_sequences:
        backward = ops.flip(backward, axis=1)
    if layer.merge_mode == "concat":
        return ops.concatenate([forward, backward], axis=-1)
    if layer.merge_mode == "sum":
        return ops.add(forward, backward)
    if layer.merge_mode == "ave":
        return ops.multiply(ops.add(forward, backward), 0.5)
    if layer.merge_mode == "mul":
        return ops.multiply(forward, backward)
    return [forward, backward]


def check_call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The sequence that a recurrent layer is called on.

    Raises:
        EdgecrnnError: it is also given a state or a mask.
    """
    more = (*args[1:], kwargs.get("initial_state"), kwargs.get("mask"))
    if isinstance(args[0], list | tuple) or any(value is not None for value in more):
        raise EdgecrnnError(
            f"{layer.name}: expected a recurrent layer that begins with a state of zeros and reads "
            "all steps, got one that is given a state or a mask; build the model without"
        )
    return args[0]


def _refused(layer: Any, got: str) -> EdgecrnnError:
    return EdgecrnnError(
        f"{layer.name}: expected a recurrent layer that can be written out ({_SUPPORTED}), {got}; "
        "replace it and train again"
    )
