"""Follows a Keras model operation by operation, on other tensors than those it was built on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras.src.models.functional import Functional

# Called with an operation, its positional and its named arguments; gives its outputs.
Call = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]

# Layers that only training needs; a live picture passes them unchanged.
_TRAINING_ONLY = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.ActivityRegularization,
    keras.layers.Identity,
    keras.layers.InputLayer,
)
_AUGMENTS = "Random"
# It cuts a picture to size when it does not augment.
_CUTS = "RandomCrop"


def replay(model: Any, inputs: Any, call: Call) -> Any:
    """Run `call` for each operation of a Functional or Sequential model, nested models included.

    Args:
        model: the model, or a single layer.
        inputs: what stands for its inputs, in their structure.
        call: makes the outputs; layers that only training needs are not asked.

    Returns:
        what stands for the model's outputs.
    """
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            inputs = replay(layer, inputs, call)
        return inputs
    if isinstance(model, Functional):
        # What `clone_model` and `Functional.call` themselves use; Keras has no public name for it.
        return model._run_through_graph(
            inputs, operation_fn=lambda operation: functools.partial(_apply, call, operation)
        )
    return _apply(call, model, inputs)


def only_training(operation: Any) -> bool:
    """Whether the operation does nothing but while training."""
    kind = type(operation)
    augments = kind.__module__.startswith("keras.") and kind.__name__.startswith(_AUGMENTS)
    return isinstance(operation, _TRAINING_ONLY) or (augments and kind.__name__ != _CUTS)


def last_operation(model: Any) -> Any:
    """The operation that makes the model's one output, looked up in nested models too."""
    if isinstance(model, keras.Sequential):
        return last_operation(model.layers[-1])
    if isinstance(model, Functional):
        return last_operation(model.outputs[0]._keras_history.operation)
    return model


def name_apart(outputs: Any) -> None:
    """Give every operation behind `outputs` a name of its own, as one graph needs.

    A nested model may use the names of the outer one again, and a file the names that operations
    get here. Inputs keep theirs, then layers.
    """
    operations: dict[int, Any] = {}
    tensors = list(keras.tree.flatten(outputs))
    seen = set()
    while tensors:
        operation, node, _ = tensors.pop()._keras_history
        operations[id(operation)] = operation
        if (id(operation), node) not in seen:
            seen.add((id(operation), node))
            tensors.extend(operation._inbound_nodes[node].input_tensors)
    taken: set[str] = set()
    for operation in sorted(operations.values(), key=_rank):
        name, number = operation.name, 1
        while name in taken:
            number += 1
            name = f"{operation.name}_{number}"
        operation.name = name
        taken.add(name)


def _rank(operation: Any) -> int:
    if isinstance(operation, keras.layers.InputLayer):
        return 0
    return 1 if isinstance(operation, keras.layers.Layer) else 2


def _apply(call: Call, operation: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(operation, Functional | keras.Sequential):
        return replay(operation, args[0], call)
    if only_training(operation):
        return args[0]
    return call(operation, args, kwargs)
