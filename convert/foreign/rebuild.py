"""The step model of a Keras classifier: what conversion reads, with the same weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
from keras import ops

from edgecrnn.convert.foreign.recurrent import (
    advance,
    check_call,
    is_recurrent,
    merged,
    states_of,
    unrolled,
    written_out,
)
from edgecrnn.convert.foreign.walk import replay
from edgecrnn.runtime.errors import EdgecrnnError

# Layers that look at each step of [batch, time, ...] alone, whatever they are set to.
_EACH_STEP = (
    keras.layers.Activation,
    keras.layers.Dense,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
    keras.layers.Rescaling,
)
# Layers that do unless their axis is the time.
_BY_AXIS = (
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.Softmax,
)
# Operations on each element; between layers they stand as x / 255 and the like.
_ELEMENTWISE = ("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Cast", "Relu", "Tanh")


@dataclass
class Rebuilding:
    """The calls of one rebuilding; layers are shared with the model, so no weight is copied twice.

    In a model of clips a tensor over the clip is held as [batch, 1, ...]: the frame of this step.
    """

    frames: int | None = None  # frames of the clip that the model reads; None where any
    states: dict[str, Any] = field(default_factory=dict)  # inputs by name
    new: dict[str, Any] = field(default_factory=dict)  # by the state's name
    over_time: list[Any] = field(default_factory=list)  # tensors over the clip
    made: list[tuple[Any, Any, Any]] = field(default_factory=list)  # (tensor, operation, its input)
    _cells: dict[int, Any] = field(default_factory=dict)

    def of_picture(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One operation on tensors of the picture, recurrent ones unrolled over their steps."""
        if is_recurrent(operation):
            return self._unroll(operation, check_call(operation, args, kwargs))
        if isinstance(operation, keras.layers.TimeDistributed):
            return self._each(operation, args[0])
        result = operation(*args, **kwargs)
        self.made.append((result, operation, args[0] if args else None))
        return result

    def of_clip(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One operation on tensors over the clip, or on what comes after its last frame."""
        tensors = [t for t in keras.tree.flatten((args, kwargs)) if _is_tensor(t)]
        over = [self._over_time(tensor) for tensor in tensors]
        if not any(over):
            return self.of_picture(operation, args, kwargs)
        if isinstance(operation, keras.layers.RNN):
            return self._step(operation, check_call(operation, args, kwargs))
        if isinstance(operation, keras.layers.TimeDistributed):
            made = replay(operation.layer, _this_step(args[0]), self.of_picture)
            return self._held(ops.expand_dims(made, 1))
        if type(operation).__name__ == "GetItem" and self._is_last(args, kwargs):
            return _this_step(args[0])
        if isinstance(operation, keras.layers.Reshape) and self._keeps_time(operation):
            # The frames are the outermost axis before and after, so each keeps its numbers.
            rest = operation.compute_output_shape((None, self.frames, *args[0].shape[2:]))
            return self._held(ops.reshape(args[0], (-1, 1, *rest[2:])))
        if all(over) and self._each_step(operation, tensors):
            return self._held(operation(*args, **kwargs))
        raise _not_a_stream(operation)

    def _unroll(self, layer: Any, x: Any) -> Any:
        if layer.stateful:
            raise EdgecrnnError(
                f"{layer.name}: expected a picture to be read from a state of zeros, got a "
                "stateful layer; build it with stateful=False"
            )
        if not isinstance(layer, keras.layers.Bidirectional):
            made, state = unrolled(layer, self._cell(layer), x)
            return [made, *state] if layer.return_state else made
        pair = (layer.forward_layer, layer.backward_layer)
        (ahead, first), (back, second) = (unrolled(one, self._cell(one), x) for one in pair)
        both = merged(layer, ahead, back)
        if not layer.return_state:
            return both
        return [*(both if isinstance(both, list) else [both]), *first, *second]

    def _step(self, layer: Any, x: Any) -> Any:
        """One step of a layer over the clip; its state comes in and goes out."""
        if layer.go_backwards:
            raise _not_a_stream(layer)
        cell = self._cell(layer)
        number = sum(name.startswith("h") for name in self.states)
        names = [f"{part}{number}" for part in states_of(cell)]
        for name in names:
            self.states[name] = keras.Input((cell.units,), name=name)
        state = advance(cell, _this_step(x), tuple(self.states[name] for name in names))
        self.new.update(zip(names, state, strict=True))
        made = self._held(ops.expand_dims(state[0], 1)) if layer.return_sequences else state[0]
        return [made, *state] if layer.return_state else made

    def _each(self, layer: Any, x: Any) -> Any:
        """TimeDistributed over a picture's steps: the steps stand in the batch meanwhile."""
        steps = x.shape[1]
        made = replay(layer.layer, ops.reshape(x, (-1, *x.shape[2:])), self.of_picture)
        return ops.reshape(made, (-1, steps, *made.shape[1:]))

    def _cell(self, layer: Any) -> Any:
        if id(layer) not in self._cells:
            kind = "lstm" if isinstance(layer.cell, keras.layers.LSTMCell) else "gru"
            self._cells[id(layer)] = written_out(layer, f"{kind}_{len(self._cells)}")
        return self._cells[id(layer)]

    def _held(self, tensor: Any) -> Any:
        self.over_time.append(tensor)
        return tensor

    def _over_time(self, tensor: Any) -> bool:
        return any(tensor is held for held in self.over_time)

    def _is_last(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether `x[:, -1]` or `x[:, -1, :]` is asked for; from a file the key comes as a list."""
        key = kwargs.get("key", args[1] if len(args) > 1 else None)
        last = (-1,) if self.frames is None else (-1, self.frames - 1)
        return (
            isinstance(key, tuple | list)
            and len(key) > 1
            and isinstance(key[1], int)
            and key[1] in last
            and all(part == slice(None) for part in (key[0], *key[2:]))
        )

    def _keeps_time(self, layer: Any) -> bool:
        """Whether a Reshape leaves the steps where they are."""
        target = layer.target_shape
        return len(target) > 1 and self.frames is not None and target[0] == self.frames

    def _each_step(self, operation: Any, tensors: list[Any]) -> bool:
        if isinstance(operation, _EACH_STEP) or type(operation).__name__ in _ELEMENTWISE:
            return True
        if isinstance(operation, keras.layers.Add | keras.layers.Multiply):
            return True
        if isinstance(operation, _BY_AXIS):
            axes = operation.axis if isinstance(operation.axis, list | tuple) else [operation.axis]
            rank = len(tensors[0].shape)
            return all(axis % rank > 1 for axis in axes)
        return False


def check_masks(model: Any) -> None:
    """Refuse a model that leaves out some steps of a sequence.

    Raises:
        EdgecrnnError: a layer masks; it is named.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False):
            raise EdgecrnnError(
                f"{layer.name}: expected every step to be read, got a layer that masks some "
                f"({type(layer).__name__}); build the model without"
            )


def _this_step(x: Any) -> Any:
    """[batch, 1, ...] without the time; not x[:, 0], which XNNPACK leaves to the CPU."""
    return ops.reshape(x, (-1, *x.shape[2:]))


def _is_tensor(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor)


def _not_a_stream(operation: Any) -> EdgecrnnError:
    return EdgecrnnError(
        f"{operation.name}: expected a model of clips that can be read a frame at a time "
        "(TimeDistributed layers, then LSTM or GRU, then layers on its last output), got "
        f"{type(operation).__name__} over the clip; build the model without"
    )
