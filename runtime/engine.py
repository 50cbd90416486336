"""One step of the model through the interpreter: `scores, state = engine.step(frame, state)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.fit import misfit
from edgecrnn.runtime.interpreter import make_interpreter, runtime_package

Floats = npt.NDArray[np.float32]
State = Mapping[str, npt.NDArray[Any]]


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
class StatePort:
    """A state's input and output. `table` turns int8 of the output's scale into the input's.

    Dequantized with the output's scale and quantized with the input's, once for each of the 256
    values; None where the two scales are the same, or the state is float.
    """

    name: str
    input: Port
    output: Port
    table: npt.NDArray[np.int8] | None


class Engine:
    """A step (or picture) graph in an interpreter.

    The state is a value: arrays by name, as the graph's outputs gave them, in their dtype and
    scale. It can be kept, and a stream continued from it by any engine of the same variant.
    """

    def __init__(self, model: bytes, labels: tuple[str, ...], variant: str, threads: int = 1):
        self.labels = labels
        self.variant = variant
        self.threads = threads
        self._interpreter = interpreter = make_interpreter(model, threads)
        inputs, outputs = _signature(interpreter)
        self._frame, self._scores = inputs.pop("frame"), outputs.pop("scores")
        if set(outputs) != {f"{name}_out" for name in inputs}:
            raise EdgecrnnError(
                f"model: expected an output NAME_out for each state, got states "
                f"{sorted(inputs)} and outputs {sorted(outputs)}; convert the run again"
            )
        self._states = [
            StatePort(name, port, outputs[f"{name}_out"], _table(outputs[f"{name}_out"], port))
            for name, port in inputs.items()
        ]
        self.frame_shape: tuple[int, ...] = self._frame.shape[1:]
        if self._scores.shape[-1] != len(labels):
            raise EdgecrnnError(
                f"model: expected {len(labels)} scores, one a label, got "
                f"{self._scores.shape[-1]}; convert the run again"
            )

    def zero_state(self) -> dict[str, npt.NDArray[Any]]:
        """The state at the start of a stream: zeros by name; {} for pictures."""
        return {
            state.name: np.full(state.output.shape, state.output.zero_point, state.output.dtype)
            for state in self._states
        }

    def step(
        self, frame: npt.NDArray[np.uint8], state: State
    ) -> tuple[Floats, dict[str, npt.NDArray[Any]]]:
        """Read one frame.

        Args:
            frame: uint8 [height, width, channels] from `prepare`.
            state: what the last step returned, or `zero_state()`.

        Returns:
            scores float32 [classes], and the new state.
        """
        interpreter = self._interpreter
        interpreter.set_tensor(self._frame.index, _frame_values(frame, self._frame)[None])
        for port in self._states:
            values = state[port.name]
            if port.table is not None:
                values = port.table[values.view(np.uint8)]
            interpreter.set_tensor(port.input.index, values)
        interpreter.invoke()
        scores = self._scores.dequantize(interpreter.get_tensor(self._scores.index)[0])
        return scores, {
            port.name: interpreter.get_tensor(port.output.index) for port in self._states
        }

    def bare_invoke(self) -> None:
        """Run the graph on whatever its tensors hold; what `edgecrnn bench` compares with."""
        self._interpreter.invoke()

    def delegation(self) -> tuple[int, int]:
        """(operators that a delegate took, in how many partitions)."""
        taken, _, partitions = self.placement()
        return len(taken), partitions

    def placement(self) -> tuple[list[str], list[str], int]:
        """(operators that a delegate took, operators left to the interpreter, partitions).

        The interpreter appends one pseudo-operator DELEGATE a partition; the operators between
        its inputs and its outputs are the ones it took. No public call tells.
        """
        taken, names, partitions = self._delegated()
        return (
            [name for index, name in names.items() if index in taken],
            [name for index, name in names.items() if index not in taken],
            partitions,
        )

    def taken(self) -> frozenset[int]:
        """Indexes of the operators that a delegate took, in the order of the model's graph."""
        return self._delegated()[0]

    def _delegated(self) -> tuple[frozenset[int], dict[int, str], int]:
        """(indexes that a delegate took, every operator's name by its index, partitions)."""
        details = self._interpreter._get_ops_details()
        partitions = [detail for detail in details if detail["op_name"] == "DELEGATE"]
        operators = [detail for detail in details if detail["op_name"] != "DELEGATE"]
        makers = {int(output): each for each in operators for output in each["outputs"]}
        taken: set[int] = set()
        for partition in partitions:
            given = {int(tensor) for tensor in partition["inputs"]}
            wanted = [int(tensor) for tensor in partition["outputs"]]
            while wanted:
                maker = makers.get(wanted.pop())
                if maker is not None and maker["index"] not in taken:
                    taken.add(maker["index"])
                    wanted.extend(int(t) for t in maker["inputs"] if int(t) not in given)
        names = {int(each["index"]): str(each["op_name"]) for each in operators}
        return frozenset(taken), names, len(partitions)


def load_engine(bundle: Bundle, variant: str | None = None, threads: int = 1) -> Engine:
    """An engine for the bundle's variant of that name, or its preferred one.

    Raises:
        EdgecrnnError: there is no such variant, or the runtime cannot load it.
    """
    chosen = bundle.variant(variant)
    package, version = runtime_package()
    reason = misfit(chosen.operator, chosen.runtimes, package, version)
    if reason:
        raise EdgecrnnError(f"{bundle.path}: {chosen.name}: {reason}")
    return Engine(bundle.read(chosen.file), bundle.manifest.labels, chosen.name, threads)


def _frame_values(frame: npt.NDArray[np.uint8], port: Port) -> npt.NDArray[Any]:
    """uint8 pixels as the input's dtype; int8 pixels are the same bits with the top one turned."""
    if port.dtype is np.uint8:
        return frame
    if port.dtype is np.int8:
        return (frame ^ np.uint8(0x80)).view(np.int8)
    return frame.astype(port.dtype)


def _table(output: Port, input: Port) -> npt.NDArray[np.int8] | None:
    """The input's int8 for each of the output's, indexed by its bits as uint8."""
    if (output.scale, output.zero_point) == (input.scale, input.zero_point):
        return None
    if output.dtype is not np.int8 or input.dtype is not np.int8:
        raise EdgecrnnError(
            f"model: expected a state that is int8 or float on both sides, got "
            f"{output.dtype.__name__} out and {input.dtype.__name__} in; convert the run again"
        )
    real = output.dequantize(np.arange(256, dtype=np.uint8).view(np.int8))
    quantized = np.rint(real / np.float32(input.scale)) + np.float32(input.zero_point)
    table: npt.NDArray[np.int8] = np.clip(quantized, -128, 127).astype(np.int8)
    return table


def _signature(interpreter: Any) -> tuple[dict[str, Port], dict[str, Port]]:
    """Inputs and outputs by the names of the model's one signature."""
    names = list(interpreter.get_signature_list())
    if not names:
        raise EdgecrnnError("model: expected a named signature, got none; convert the run again")
    runner = interpreter.get_signature_runner(names[0])
    inputs, outputs = runner.get_input_details(), runner.get_output_details()
    if "frame" not in inputs or "scores" not in outputs:
        raise EdgecrnnError(
            f"model: expected the signature frame → scores, got {sorted(inputs)} → "
            f"{sorted(outputs)}; convert the run again"
        )
    return (
        {name: _port(detail) for name, detail in inputs.items()},
        {name: _port(detail) for name, detail in outputs.items()},
    )


def _port(detail: Mapping[str, Any]) -> Port:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(side) for side in detail["shape"])
    return Port(detail["index"], shape, detail["dtype"], float(scale), int(zero_point))
