"""A `.tflite` graph as what its diagram says: operators, tensors and the signature's names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecrnn.convert.flatbuffer import operator_name, schema, unpack

_TYPE = {
    value: name.lower()
    for name, value in vars(schema.TensorType).items()
    if isinstance(value, int) and not name.startswith("_")
}
_DTYPES = {"float32": np.float32, "float16": np.float16, "int8": np.int8, "int32": np.int32}
_SHORT = (("uint", "u"), ("int", "i"), ("float", "f"))
# Operators whose second input is a matrix or filter that was learned.
_LEARNED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D")
_SLIDING = (*_LEARNED, "MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D")
_ACTIVATIONS = {
    value: name.lower()
    for name, value in vars(schema.ActivationFunctionType).items()
    if isinstance(value, int) and value
}
# What the converter and the quantizer hang on to a tensor's name.
_ADDED = re.compile(r"_(quantized|requantized|dequantized|dequant|quant)\d*$")
_NUMBER = re.compile(r"_\d+$")
_PRODUCT = re.compile(r"/(convolution|depthwise|MatMul|Conv2D|BiasAdd)[^/]*$")


@dataclass(frozen=True)
class Tensor:
    """One tensor that flows between operators."""

    index: int
    short: str  # "i8 0.0235 z-128", "f32"
    full: str  # name, type, shape, scale, zero point
    kind: str  # its type, for example int8


@dataclass(frozen=True)
class Operator:
    """One operator of the graph."""

    index: int
    name: str  # "CONV_2D"
    size: str  # "3x3/2 relu → 24x24x16"
    layer: str  # "conv_0", or empty
    weights: str  # "w i8 x16", or empty
    full: str  # everything, for a tooltip
    inputs: tuple[int, ...]  # tensors that are no constants
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """The first subgraph."""

    operators: tuple[Operator, ...]
    tensors: Mapping[int, Tensor]
    inputs: tuple[tuple[str, int], ...]  # (name of the signature, tensor)
    outputs: tuple[tuple[str, int], ...]


def read_graph(model: bytes) -> Graph:
    """The first subgraph of a `.tflite`, its constants folded into the operators that read them."""
    parsed = unpack(model)
    graph = parsed.subgraphs[0]
    constants = {
        index: parsed.buffers[tensor.buffer].data
        for index, tensor in enumerate(graph.tensors)
        if parsed.buffers[tensor.buffer].data is not None
        and len(parsed.buffers[tensor.buffer].data)
    }
    inputs, outputs = _signature(parsed, graph)
    named = {index: name for name, index in (*inputs, *outputs)}
    operators = []
    for index, operator in enumerate(graph.operators):
        name = operator_name(parsed.operatorCodes[operator.opcodeIndex])
        operators.append(_operator(index, name, operator, graph.tensors, constants, named))
    flowing = {i for one in operators for i in (*one.inputs, *one.outputs)} | set(named)
    tensors = {index: _tensor(index, graph.tensors[index]) for index in sorted(flowing)}
    return Graph(tuple(operators), tensors, inputs, outputs)


def quantization_short(scale: Sequence[float], zero_points: Sequence[int]) -> str:
    """'0.0235 z-128' of a scale and zero point, 'x16' of a scale a channel, empty of none."""
    if len(scale) > 1:
        return f"x{len(scale)}"
    return f"{scale[0]:.3g} z{int(zero_points[0])}" if len(scale) else ""


def _signature(
    parsed: Any, graph: Any
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """Names and tensors of the first signature; the tensors' own names where there is none."""
    if parsed.signatureDefs:
        first = parsed.signatureDefs[0]
        return _pairs(first.inputs), _pairs(first.outputs)
    own = [_said(tensor.name) for tensor in graph.tensors]
    return (
        tuple((own[index], int(index)) for index in graph.inputs),
        tuple((own[index], int(index)) for index in graph.outputs),
    )


def _pairs(ports: Sequence[Any]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((_said(port.name), int(port.tensorIndex)) for port in ports))


def _operator(
    index: int,
    name: str,
    operator: Any,
    tensors: Sequence[Any],
    constants: Mapping[int, Any],
    named: Mapping[int, str],
) -> Operator:
    read = [int(i) for i in (operator.inputs if operator.inputs is not None else ()) if i >= 0]
    made = [int(i) for i in (operator.outputs if operator.outputs is not None else ())]
    fixed = [i for i in read if i in constants]
    size = _size(name, operator, tensors)
    weights = _weights(name, read, tensors, constants)
    layer = next((_layer(_said(tensors[i].name)) for i in made if i not in named), "")
    described = [f"{role} {_full(tensors[i])}" for role, i in _roles(read, fixed, made)]
    return Operator(
        index,
        name,
        size,
        layer,
        weights,
        "\n".join([f"{index} {name} {size}".rstrip(), *described]),
        tuple(i for i in read if i not in constants),
        tuple(made),
    )


def _roles(read: Sequence[int], fixed: Sequence[int], made: Sequence[int]) -> list[tuple[str, int]]:
    flows = [("reads", i) for i in read if i not in fixed]
    return [*flows, *(("holds", i) for i in fixed), *(("makes", i) for i in made)]


def _size(name: str, operator: Any, tensors: Sequence[Any]) -> str:
    """What matters of an operator's size, with the activation that is part of it."""
    options = operator.builtinOptions
    parts = []
    if name in _SLIDING and options is not None:
        window = _window(name, operator, options, tensors)
        if window:
            stride = getattr(options, "strideH", 1)
            parts.append(window + (f"/{stride}" if stride > 1 else ""))
    activation = _ACTIVATIONS.get(getattr(options, "fusedActivationFunction", 0) or 0)
    if activation:
        parts.append(activation)
    outputs = operator.outputs if operator.outputs is not None else ()
    shapes = [_shape(tensors[i]) for i in outputs]
    said = " + ".join(f"{len([*g])} of {s}" if shapes.count(s) > 1 else s for s, g in _runs(shapes))
    return " ".join([*parts, f"→ {said}" if said else ""]).strip()


def _runs(shapes: Sequence[str]) -> list[tuple[str, list[str]]]:
    return [(shape, [*group]) for shape, group in itertools.groupby(shapes)]


def _window(name: str, operator: Any, options: Any, tensors: Sequence[Any]) -> str:
    """'3x3' of a filter or pool; '64' of a dense layer, what it reads."""
    if name.endswith("POOL_2D"):
        return f"{options.filterHeight}x{options.filterWidth}"
    shape = [int(side) for side in tensors[operator.inputs[1]].shape]
    if name == "FULLY_CONNECTED":
        return str(shape[-1])
    return "x".join(map(str, shape[1:-1]))


def _shape(tensor: Any) -> str:
    """'24x24x16': without the batch of one; 'scalar' of nothing."""
    shape = [] if tensor.shape is None else [int(side) for side in tensor.shape]
    sides = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    return "x".join(map(str, sides)) or "scalar"


def _weights(
    name: str, read: Sequence[int], tensors: Sequence[Any], constants: Mapping[int, Any]
) -> str:
    """'w i8 x16' of what was learned, 'by 0.0039' of a fixed number; shapes and biases are not."""
    if name in _LEARNED:
        # Where the weights are made by another operator, only a bias is held here.
        return f"w {_short(tensors[read[1]])}" if read[1] in constants else ""
    role = "w" if name == "DEQUANTIZE" else "const"
    for index in read:
        kind = _TYPE[tensors[index].type]
        if index in constants and kind not in ("int32", "int64"):
            value = _only_value(tensors[index], constants[index])
            return f"by {value:.3g}" if value is not None else f"{role} {_short(tensors[index])}"
    return ""


def _only_value(tensor: Any, data: Any) -> float | None:
    """The real value of a constant of one number."""
    dtype = _DTYPES.get(_TYPE[tensor.type])
    if dtype is None:
        return None
    values = np.frombuffer(bytes(bytearray(data)), dtype)
    if values.size != 1:
        return None
    scale, zero = _affine(tensor)
    # As float: 127 - -128 does not fit into an int8.
    return (float(values[0]) - (zero[0] if zero else 0)) * (scale[0] if scale else 1.0)


def _tensor(index: int, tensor: Any) -> Tensor:
    return Tensor(index, _short(tensor), _full(tensor), _TYPE[tensor.type])


def _short(tensor: Any) -> str:
    kind = _TYPE[tensor.type]
    for word, letter in _SHORT:
        if kind.startswith(word):
            kind = letter + kind.removeprefix(word)
            break
    return f"{kind} {quantization_short(*_affine(tensor))}".rstrip()


def _full(tensor: Any) -> str:
    scale, zero = _affine(tensor)
    shape = "scalar" if tensor.shape is None else "x".join(map(str, tensor.shape)) or "scalar"
    said = f"{_said(tensor.name)}: {_TYPE[tensor.type]} {shape}"
    if len(scale) > 1:
        return f"{said}, {len(scale)} scales from {min(scale):.9g} to {max(scale):.9g}"
    return f"{said}, scale {scale[0]:.9g}, zero point {zero[0]}" if scale else said


def _affine(tensor: Any) -> tuple[list[float], list[int]]:
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None or not len(quantization.scale):
        return [], []
    zero = quantization.zeroPoint
    given = zero is not None and len(zero)
    return [float(s) for s in quantization.scale], [int(z) for z in zero] if given else [0]


def _layer(name: str) -> str:
    """The Keras layer in 'step_1/encoder_1/conv_0_relu_1/Relu;.../conv_0_1/convolution'."""
    parts = [_ADDED.sub("", part) for part in name.split(";")]
    path = next((part for part in parts if _PRODUCT.search(part)), parts[0]).split("/")
    if len(path) < 3:
        return ""
    # Where the outermost scope carries a number of the export's own, all the others do too.
    return _NUMBER.sub("", path[-2]) if _NUMBER.search(path[0]) else path[-2]


def _said(name: bytes | str | None) -> str:
    """A name as text that XML can hold."""
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name or ""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
