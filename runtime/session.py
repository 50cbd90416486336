"""A model loaded and ready to run: what the engine asks of whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError

Floats = npt.NDArray[np.float32]
SCORES = "scores"  # the output of a model of labels
# What a model may answer with, by the output's name: with one of them, or pictures with two.
OUTPUTS = frozenset((SCORES, "picture", "map", "grid", "vector", "code"))
_DELEGATE = "DELEGATE"


@dataclass(frozen=True)
class Port:
    """One input or output tensor, with its affine quantization (scale 0 where it is float)."""

    index: int
    shape: tuple[int, ...]
    dtype: type[np.generic]
    scale: float
    zero_point: int

    def dequantize(self, values: npt.NDArray[Any]) -> Floats:
        """The tensor's values as float32: (values - zero_point) * scale."""
        if self.scale == 0.0:
            return values.astype(np.float32, copy=False)
        return (values.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)


@dataclass(frozen=True)
class Placement:
    """Which operators the delegate took, and who runs the rest.

    Attributes:
        operators: every operator's name, in the order of the graph.
        taken: indexes of those that the delegate took.
        partitions: pieces in which it took them.
        helped: of the rest, indexes of those that XNNPACK took.
    """

    operators: tuple[str, ...]
    taken: frozenset[int]
    partitions: int
    helped: frozenset[int] = frozenset()

    def names(self, indexes: Sequence[int] | frozenset[int]) -> tuple[str, ...]:
        """The names at these indexes, in the order of the graph."""
        return tuple(self.operators[index] for index in sorted(indexes))


class Session(Protocol):
    """A model that a delegate loaded, its tensors allocated."""

    @property
    def inputs(self) -> Mapping[str, Port]:
        """By the names of the model's signature."""

    @property
    def outputs(self) -> Mapping[str, Port]:
        """By the names of the model's signature."""

    @property
    def integer(self) -> bool:
        """Whether any tensor in it is of integers, so that runtimes round differently."""

    @property
    def runs_on(self) -> str:
        """What runs it, for a person: XNNPACK, a library, a GPU's adapter."""

    @property
    def runtime(self) -> str:
        """Package and version, for example "ai-edge-litert 2.3.0"."""

    def write(self, index: int, values: npt.NDArray[Any]) -> None:
        """Set an input tensor."""

    def invoke(self) -> None:
        """Run the graph.

        Raises:
            RuntimeError: the delegate failed.
        """

    def read(self, index: int) -> npt.NDArray[Any]:
        """An output tensor's values, the caller's own."""

    def placement(self) -> Placement:
        """Which operators run where."""


class InterpreterSession:
    """A model in the TFLite interpreter.

    Args:
        interpreter: with its tensors allocated.
        before: what `operator_details` gave before they were; the delegates of the interpreter's
            caller stand in it, XNNPACK comes with the allocation. None where XNNPACK is the
            delegate that is asked about.
        runs_on: for a person.
        runtime: package and version.
    """

    def __init__(
        self,
        interpreter: Any,
        before: Sequence[Mapping[str, Any]] | None,
        runs_on: str,
        runtime: str,
    ):
        self.interpreter = interpreter
        self.inputs, self.outputs = signature_ports(interpreter)
        self.runs_on = runs_on
        self.runtime = runtime
        self.write = interpreter.set_tensor
        self.invoke = interpreter.invoke
        self.read = interpreter.get_tensor
        self._before = before

    @property
    def integer(self) -> bool:
        """Whether a tensor of 8 or 16 bits is computed with; pixels and indexes do not count."""
        return has_integers(self.interpreter)

    def placement(self) -> Placement:
        """The operators between a pseudo-operator's inputs and outputs are those it took."""
        after = operator_details(self.interpreter)
        names = operator_names(after)
        asked = after if self._before is None else self._before
        taken, partitions = delegated(asked)
        helped = delegated(after)[0] - taken
        return Placement(names, taken, partitions, helped)


def operator_details(interpreter: Any) -> list[dict[str, Any]]:
    """Every operator; for each partition a delegate appends a pseudo-operator DELEGATE.

    No public call tells. Both packages have had this one in every version that edgecrnn supports.
    """
    details: list[dict[str, Any]] = interpreter._get_ops_details()
    return details


def operator_names(details: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of the model's own operators."""
    return tuple(str(each["op_name"]) for each in details if each["op_name"] != _DELEGATE)


def delegated(details: Sequence[Mapping[str, Any]]) -> tuple[frozenset[int], int]:
    """(indexes of operators that stand inside a partition, how many partitions)."""
    partitions = [each for each in details if each["op_name"] == _DELEGATE]
    operators = [each for each in details if each["op_name"] != _DELEGATE]
    makers = {int(output): each for each in operators for output in each["outputs"]}
    taken: set[int] = set()
    for partition in partitions:
        given = {int(tensor) for tensor in partition["inputs"]}
        wanted = [int(tensor) for tensor in partition["outputs"]]
        while wanted:
            maker = makers.get(wanted.pop())
            if maker is not None and maker["index"] not in taken:
                taken.add(int(maker["index"]))
                wanted.extend(int(t) for t in maker["inputs"] if int(t) not in given)
    return frozenset(taken), len(partitions)


def has_integers(interpreter: Any) -> bool:
    """Whether a tensor of the model is int8 or int16."""
    kinds = {detail["dtype"] for detail in interpreter.get_tensor_details()}
    return bool(kinds & {np.int8, np.int16})


def signature_ports(interpreter: Any) -> tuple[dict[str, Port], dict[str, Port]]:
    """Inputs and outputs by the names of the model's one signature.

    Raises:
        EdgecrnnError: the model has none, or another than frame → scores.
    """
    runner = interpreter.get_signature_runner(signature_name(interpreter))
    inputs, outputs = runner.get_input_details(), runner.get_output_details()
    answers = len(outputs.keys() & OUTPUTS)
    if "frame" not in inputs or not 1 <= answers <= (1 if SCORES in outputs else 2):
        raise EdgecrnnError(
            f"model: expected the signature frame → scores, got {sorted(inputs)} → "
            f"{sorted(outputs)}; convert the run again"
        )
    return (
        {name: _port(detail) for name, detail in inputs.items()},
        {name: _port(detail) for name, detail in outputs.items()},
    )


def signature_name(interpreter: Any) -> str:
    """The name of the model's first signature.

    Raises:
        EdgecrnnError: the model has none.
    """
    names = list(interpreter.get_signature_list())
    if not names:
        raise EdgecrnnError("model: expected a named signature, got none; convert the run again")
    return str(names[0])


def _port(detail: Mapping[str, Any]) -> Port:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(side) for side in detail["shape"])
    return Port(detail["index"], shape, detail["dtype"], float(scale), int(zero_point))
