"""What the numbers are that a model ends in, and how they become scores."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from edgecrnn.convert.foreign.rebuild import Rebuilding
from edgecrnn.runtime.errors import EdgecrnnError

# Layers that pass numbers on as they are.
_PASSING = (keras.layers.Flatten, keras.layers.Reshape)
_OPERATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
_SAID = {
    "softmax": "the model ends in a softmax, which is kept",
    "sigmoid": "the model ends in sigmoids, which are kept: each label has a score of its own",
    "linear": "the model ends in logits; a softmax is put behind them",
    "one sigmoid": "the model ends in one sigmoid: the score of the second label",
    "one linear": "the model ends in one logit; a sigmoid makes it the score of the second label",
}


def output_kind(made: Any, building: Rebuilding, labels: tuple[str, ...], where: str) -> str:
    """How the model's output becomes one score a label: softmax, sigmoid, linear, or one of them.

    Args:
        made: the output's tensor as `building` made it.
        building: knows which operation made it.
        labels: that the scores are of.
        where: the model came from.

    Raises:
        EdgecrnnError: the output is not one number a label, or no score.
    """
    shape = getattr(made, "shape", None)
    if shape is None or len(shape) != 2:
        got = [tuple(t.shape) for t in keras.tree.flatten(made)]
        raise EdgecrnnError(
            f"{where}: expected one output with a score for each label, [batch, labels], got "
            f"{' and '.join(map(str, got))}; end the model in a Dense layer"
        )
    kind = _activation(made, building, where)
    if shape[1] == 1 and len(labels) == 2 and kind != "softmax":
        return f"one {kind}"
    if shape[1] != len(labels) or len(labels) < 2:
        raise EdgecrnnError(
            f"labels: expected {shape[1]}, one for each score of {where}, got {len(labels)} "
            f"({', '.join(labels[:4])}{', …' if len(labels) > 4 else ''}); give the labels that "
            "the model was trained with, in that order"
        )
    return kind


def output_said(kind: str) -> str:
    """The kind as a sentence."""
    return f"scores: {_SAID[kind]}"


def scores_of(output: Any, kind: str) -> Any:
    """Scores float32 [batch, labels] of the model's output."""
    if kind == "linear":
        return ops.softmax(output)
    if kind.startswith("one "):
        second = ops.sigmoid(output) if kind == "one linear" else output
        return ops.concatenate([ops.subtract(1.0, second), second], axis=-1)
    return output


def _activation(made: Any, building: Rebuilding, where: str) -> str:
    """Softmax, sigmoid or linear."""
    operation, given = None, made
    while (entry := _maker(given, building)) is not None:
        _, operation, given = entry
        named_linear = isinstance(operation, keras.layers.Activation) and (
            _function(operation) == "linear"
        )
        if not isinstance(operation, _PASSING) and not named_linear:
            break
    return _kind(operation, where)


def _maker(tensor: Any, building: Rebuilding) -> Any:
    """Which operation made the tensor: (tensor, operation, its input), or None."""
    return next((entry for entry in building.made if entry[0] is tensor), None)


def _kind(operation: Any, where: str) -> str:
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    function = _function(operation) or _OPERATIONS.get(type(operation).__name__, "linear")
    if function not in ("softmax", "sigmoid", "linear"):
        raise EdgecrnnError(
            f"{where}: expected scores from a softmax, sigmoids or a plain Dense layer, got "
            f"{function} in {operation.name}; end the model in a softmax"
        )
    return function


def _function(operation: Any) -> str:
    """The name of a layer's activation; empty where it has none."""
    activation = getattr(operation, "activation", None)
    if activation is None or isinstance(operation, keras.layers.RNN):
        return ""
    name = keras.activations.serialize(activation)
    return name if isinstance(name, str) else str(name.get("class_name", "another"))
