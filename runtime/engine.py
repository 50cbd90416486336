"""One step of the model through the interpreter: `scores, state = engine.step(frame, state)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import make_interpreter

Floats = npt.NDArray[np.float32]
State = Mapping[str, Floats]


@dataclass(frozen=True)
class Port:
    """One input or output tensor, with its affine quantization (scale 0 where it is float)."""

    index: int
    shape: tuple[int, ...]
    dtype: type[np.generic]
    scale: float
    zero_point: int

    def quantize(self, values: Floats) -> npt.NDArray[Any]:
        """Real values to the tensor's dtype: round(values / scale) + zero_point, clipped."""
        if self.scale == 0.0:
            return values.astype(self.dtype, copy=False)
        limits = np.iinfo(self.dtype)  # type: ignore[type-var]
        scaled = np.rint(values * np.float32(1.0 / self.scale)) + np.float32(self.zero_point)
        return np.clip(scaled, limits.min, limits.max).astype(self.dtype)

    def dequantize(self, values: npt.NDArray[Any]) -> Floats:
        """The tensor's values as float32: (values - zero_point) * scale."""
        if self.scale == 0.0:
            return values.astype(np.float32, copy=False)
        return (values.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)


class Engine:
    """A step (or picture) graph in an interpreter.

    The state is a value in real units, float32 by name, so that it can be saved, restored and
    carried to another variant. A state's input and output have scales of their own: it is
    dequantized with the output's and quantized with the input's.
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
        self._states = [(name, port, outputs[f"{name}_out"]) for name, port in inputs.items()]
        self.frame_shape: tuple[int, ...] = self._frame.shape[1:]
        if self._scores.shape[-1] != len(labels):
            raise EdgecrnnError(
                f"model: expected {len(labels)} scores, one a label, got "
                f"{self._scores.shape[-1]}; convert the run again"
            )

    def zero_state(self) -> dict[str, Floats]:
        """The state at the start of a stream: float32 zeros by name; {} for pictures."""
        return {name: np.zeros(port.shape, np.float32) for name, port, _ in self._states}

    def step(
        self, frame: npt.NDArray[np.uint8], state: State
    ) -> tuple[Floats, dict[str, Floats]]:
        """Read one frame.

        Args:
            frame: uint8 [height, width, channels] from `prepare`.
            state: what the last step returned, or `zero_state()`.

        Returns:
            scores float32 [classes], and the new state.
        """
        interpreter = self._interpreter
        interpreter.set_tensor(self._frame.index, _frame_values(frame, self._frame)[None])
        for name, port, _ in self._states:
            interpreter.set_tensor(port.index, port.quantize(state[name]))
        interpreter.invoke()
        scores = self._scores.dequantize(interpreter.get_tensor(self._scores.index)[0])
        new = {
            name: out.dequantize(interpreter.get_tensor(out.index))
            for name, _, out in self._states
        }
        return scores, new

    def bare_invoke(self) -> None:
        """Run the graph on whatever its tensors hold; what `edgecrnn bench` compares with."""
        self._interpreter.invoke()


def load_engine(bundle: Bundle, variant: str | None = None, threads: int = 1) -> Engine:
    """An engine for the bundle's variant of that name, or its preferred one.

    Raises:
        EdgecrnnError: there is no such variant, or the runtime cannot load it.
    """
    chosen = bundle.variant(variant)
    return Engine(bundle.read(chosen.file), bundle.manifest.labels, chosen.name, threads)


def _frame_values(frame: npt.NDArray[np.uint8], port: Port) -> npt.NDArray[Any]:
    """uint8 pixels as the input's dtype; int8 pixels are the same bits with the top one turned."""
    if port.dtype is np.uint8:
        return frame
    if port.dtype is np.int8:
        return (frame ^ np.uint8(0x80)).view(np.int8)
    return frame.astype(port.dtype)


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
