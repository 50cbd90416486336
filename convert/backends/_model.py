"""What the rules of delegates ask of a `.tflite`: operators, tensor types, shapes."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecrnn.convert.flatbuffer import operator_name, schema, unpack
from edgecrnn.runtime.errors import EdgecrnnError

_TYPES = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
FLOATS = ("FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16")
INT8S = ("INT8", "UINT8")


@dataclass(frozen=True)
class Tensor:
    """One tensor. `shape` is static unless `dynamic`; `constant` ones hold weights or sizes.

    `integers` are the values of a constant INT32 one, such as the strides of a slice.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    dynamic: bool
    constant: bool
    integers: tuple[int, ...]


@dataclass(frozen=True)
class Operator:
    """One operator: its name (a custom one's own), options, inputs and outputs."""

    name: str
    custom: bool
    options: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class Graph:
    """A model's first subgraph; inputs and outputs by the names of its signature.

    `subgraphs` counts all of them.
    """

    operators: tuple[Operator, ...]
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    subgraphs: int

    def count(self, custom: bool = False) -> dict[str, int]:
        """Operators by name: the builtin ones, or the custom ones."""
        return dict(Counter(op.name for op in self.operators if op.custom == custom))

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor that an operator reads or writes, some of them more than once."""
        for operator in self.operators:
            yield from operator.inputs
            yield from operator.outputs


def read_graph(model: bytes) -> Graph:
    """The model's first subgraph.

    Raises:
        EdgecrnnError: the bytes are no `.tflite`.
    """
    if model[4:8] != b"TFL3":
        raise EdgecrnnError(
            f"model: expected a .tflite file (TFL3), got {model[4:8]!r}; convert the run again"
        )
    try:
        parsed = unpack(model)
    except Exception as error:  # the generated reader raises whatever the damage leads to
        raise EdgecrnnError(
            f"model: expected a whole .tflite file, got a damaged one ({error}); "
            "convert the run again"
        ) from error
    graph, signatures = parsed.subgraphs[0], (parsed.signatureDefs or [])[:1]
    tensors = [_tensor(tensor, parsed.buffers) for tensor in graph.tensors]
    return Graph(
        tuple(_operator(op, parsed.operatorCodes, tensors) for op in graph.operators),
        _named(graph.inputs, [entry for each in signatures for entry in each.inputs], tensors),
        _named(graph.outputs, [entry for each in signatures for entry in each.outputs], tensors),
        len(parsed.subgraphs),
    )


def left_over(model: Graph, compiled: Graph) -> tuple[dict[str, int], dict[str, int]]:
    """(operators taken, operators left) of `model`, judged by what stands in `compiled`.

    A compiler puts one custom operator in the place of each piece that it took. What it left can
    have become more than it was; no operator is counted as taken then.
    """
    left = compiled.count()
    taken = Counter(model.count())
    taken.subtract(left)
    return {name: count for name, count in taken.items() if count > 0}, left


def not_int8(graph: Graph, who: str) -> tuple[str, ...]:
    """A sentence about `who` where an operator computes in floating point, or none."""
    names = Counter(
        operator.name
        for operator in graph.operators
        if any(tensor.type in FLOATS for tensor in (*operator.inputs, *operator.outputs))
    )
    if not names:
        return ()
    return (
        f"{who} takes all-integer int8 only, and {sum(names.values())} operators compute in "
        f"floating point ({listed(names)}); ship the variant int8",
    )


def listed(counts: dict[str, int]) -> str:
    """"2 CONV_2D, 1 TANH", the most frequent first."""  # fmt: skip
    return ", ".join(f"{count} {name}" for name, count in Counter(counts).most_common())


def with_labels(model: bytes, compiled: bytes) -> bytes:
    """`compiled` with the archive of labels that stands behind the end of `model`.

    Compilers write the flatbuffer anew and drop what came after it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            start = min(entry.header_offset for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError):
        return compiled
    return compiled + model[start:]


def _tensor(tensor: Any, buffers: Any) -> Tensor:
    shape = () if tensor.shape is None else tuple(int(side) for side in tensor.shape)
    signature = () if tensor.shapeSignature is None else tensor.shapeSignature
    data = buffers[tensor.buffer].data
    constant, type_name = data is not None and len(data) > 0, _TYPES[tensor.type]
    integers = np.asarray(data, np.uint8).view("<i4") if constant and type_name == "INT32" else ()
    return Tensor(
        (tensor.name or b"").decode(errors="replace"),
        type_name,
        shape,
        any(int(side) < 0 for side in (*shape, *signature)),
        constant,
        tuple(int(value) for value in integers),
    )


def _named(
    indices: Sequence[int], entries: Sequence[Any], tensors: Sequence[Tensor]
) -> dict[str, Tensor]:
    """Tensors by the signature's names; by their own where there is no signature."""
    if entries:
        return {entry.name.decode(): tensors[entry.tensorIndex] for entry in entries}
    return {tensors[int(index)].name: tensors[int(index)] for index in indices}


def _operator(operator: Any, codes: Any, tensors: list[Tensor]) -> Operator:
    code = codes[operator.opcodeIndex]
    return Operator(
        operator_name(code),
        max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.CUSTOM,
        operator.builtinOptions,
        tuple(tensors[int(index)] for index in operator.inputs if int(index) >= 0),
        tuple(tensors[int(index)] for index in operator.outputs),
    )
