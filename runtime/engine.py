"""One step of the model through the interpreter: `scores, state = engine.step(frame, state)`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.about import About
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.delegates import Terms, delegate_named
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.fit import misfit
from edgecrnn.runtime.interpreter import runtime_package
from edgecrnn.runtime.session import OUTPUTS, SCORES, Floats, Port

State = Mapping[str, npt.NDArray[Any]]

_PIXELS = np.float32(255.0)
_BYTES = np.arange(256, dtype=np.uint8).view(np.int8)  # every int8 at the place of its bits


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
    """A step (or picture) graph, loaded by a delegate.

    The state is a value: arrays by name, as the graph's outputs gave them, in their dtype and
    scale. It can be kept, and a stream continued from it by any engine of the same variant.

    Args:
        model: the bytes of a `.tflite` file, already verified.
        labels: in the order of its scores.
        variant: its name, for a person.
        threads: CPU threads.
        delegate: what loads it, one of `edgecrnn.runtime.delegates`.
        terms: with what; its threads are left aside.

    Raises:
        EdgecrnnError: the delegate cannot load it, or it is no model of edgecrnn.
    """

    def __init__(
        self,
        model: bytes,
        labels: tuple[str, ...],
        variant: str,
        threads: int = 1,
        delegate: str = "cpu",
        terms: Terms | None = None,
    ):
        self.labels = labels
        self.variant = variant
        self.threads = threads
        self.delegate = delegate
        terms = dataclasses.replace(terms or Terms(), threads=threads)
        self._session = session = delegate_named(delegate).load(model, terms)
        self.runtime = session.runtime
        inputs, outputs = dict(session.inputs), dict(session.outputs)
        self._frame = inputs.pop("frame")
        answers = {name: outputs.pop(name) for name in sorted(outputs.keys() & OUTPUTS)}
        self._answers = answers if len(answers) > 1 else None
        self._name, self._scores = next(iter(answers.items()))
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
        self._top_bits = np.full(self.frame_shape, 0x80, np.uint8)
        self._score_values = self._scores.dequantize(_BYTES) if _is_int8(self._scores) else None
        if self._name == SCORES and self._scores.shape[-1] != len(labels):
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
            scores float32 [classes], or whatever else the model answers (see `parts`), and the
            new state.

        Raises:
            EdgecrnnError: the delegate failed, for example because its device was unplugged.
        """
        session = self._session
        session.write(self._frame.index, self._frame_values(frame)[None])
        for port in self._states:
            values = state[port.name]
            if port.table is not None:
                values = port.table[values.view(np.uint8)]
            session.write(port.input.index, values)
        try:
            session.invoke()
        except RuntimeError as error:
            raise EdgecrnnError(
                f"{self.delegate}: expected an answer for a frame, but it said: "
                f"{str(error).strip()[:300]}; see that its device is there, and start again"
            ) from error
        if self._answers is not None:
            return self._joined(self._answers), {}
        raw = session.read(self._scores.index)[0]
        # One look-up: arithmetic on a few numbers costs several calls of NumPy.
        known = self._score_values
        scores = self._scores.dequantize(raw) if known is None else known.take(raw.view(np.uint8))
        return scores, {port.name: session.read(port.output.index) for port in self._states}

    def parts(self, answer: Floats) -> dict[str, Floats]:
        """An answer that `step` gave, by the names of the model's outputs; pixels are 0 to 255."""
        if self._answers is None:
            return {self._name: answer}
        parts, place = {}, 0
        for name, port in self._answers.items():
            count = int(np.prod(port.shape[1:]))
            values = answer[place : place + count].reshape(port.shape[1:])
            parts[name] = values * _PIXELS if name == "picture" else values
            place += count
        return parts

    def _joined(self, answers: Mapping[str, Port]) -> Floats:
        """Two answers as one, float32 [numbers], pixels as 0 to 1 so that both weigh alike."""
        flat = []
        for name, port in answers.items():
            values = port.dequantize(self._session.read(port.index)[0]).ravel()
            flat.append(values / _PIXELS if name == "picture" else values)
        return np.concatenate(flat)

    def bare_invoke(self) -> None:
        """Run the graph on whatever its tensors hold; what `edgecrnn bench` compares with."""
        self._session.invoke()

    def _frame_values(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """Pixels in the input's dtype; as int8 they are the same bits with the top one turned."""
        if frame.shape != self.frame_shape:
            raise EdgecrnnError(f"frame: expected {self.frame_shape}, got {frame.shape}")
        kind = self._frame.dtype
        if kind is np.uint8:
            return frame
        if kind is np.int8:
            return (frame ^ self._top_bits).view(np.int8)
        return frame.astype(kind)

    @property
    def integer(self) -> bool:
        """Whether the model computes with integers, so that runtimes may round differently."""
        return self._session.integer

    @property
    def about(self) -> About:
        """What runs it, and which operators it took."""
        session = self._session
        return About(
            variant=self.variant,
            runtime=self.runtime,
            delegate=self.delegate,
            runs_on=session.runs_on,
            threads=self.threads,
            placement=session.placement(),
        )

    def delegation(self) -> tuple[int, int]:
        """(operators that a delegate took, in how many partitions)."""
        placement = self._session.placement()
        return len(placement.taken), placement.partitions

    def placement(self) -> tuple[list[str], list[str], int]:
        """(operators that the delegate took, operators that it left, partitions)."""
        found = self._session.placement()
        left = frozenset(range(len(found.operators))) - found.taken
        return list(found.names(found.taken)), list(found.names(left)), found.partitions

    def taken(self) -> frozenset[int]:
        """Indexes of the operators that the delegate took, in the order of the model's graph."""
        return self._session.placement().taken


def load_engine(
    bundle: Bundle,
    variant: str | None = None,
    threads: int = 1,
    delegate: str = "cpu",
    terms: Terms | None = None,
) -> Engine:
    """An engine for the bundle's variant of that name, or its preferred one.

    Nothing is compared and nothing else is tried: `edgecrnn.runtime.choice` does that.

    Raises:
        EdgecrnnError: there is no such variant or delegate, or it cannot load the model.
    """
    chosen = bundle.variant(variant)
    package, version = runtime_package(terms.package if terms else None)
    reason = misfit(chosen.operator, chosen.runtimes, package, version)
    if reason:
        raise EdgecrnnError(f"{bundle.path}: {chosen.name}: {reason}")
    model = bundle.read(chosen.file)
    return Engine(model, bundle.manifest.labels, chosen.name, threads, delegate, terms)


def _is_int8(port: Port) -> bool:
    return port.dtype is np.int8


def _table(output: Port, input: Port) -> npt.NDArray[np.int8] | None:
    """The input's int8 for each of the output's, indexed by its bits as uint8."""
    if (output.scale, output.zero_point) == (input.scale, input.zero_point):
        return None
    if not (_is_int8(output) and _is_int8(input)):
        raise EdgecrnnError(
            f"model: expected a state that is int8 or float on both sides, got "
            f"{output.dtype.__name__} out and {input.dtype.__name__} in; convert the run again"
        )
    real = output.dequantize(_BYTES)
    quantized = np.rint(real / np.float32(input.scale)) + np.float32(input.zero_point)
    table: npt.NDArray[np.int8] = np.clip(quantized, -128, 127).astype(np.int8)
    return table
