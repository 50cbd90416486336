"""A model in LiteRT's CompiledModel, which the GPU and the NPUs are reached through."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import bare_interpreter
from edgecrnn.runtime.session import (
    Placement,
    Port,
    has_integers,
    operator_details,
    operator_names,
    signature_name,
    signature_ports,
)

PACKAGE = "ai-edge-litert"


def check_package(name: str, package: str | None) -> str:
    """Why there is no CompiledModel here, and the mend; '' where there is one."""
    if package not in (None, PACKAGE):
        return f"{name}: expected {PACKAGE}, whose part it is, got {package}; leave out --engine"
    if importlib.util.find_spec("ai_edge_litert") is None:
        return f"{name}: expected {PACKAGE} to be installed, got none; pip install {PACKAGE}"
    if importlib.util.find_spec("ai_edge_litert.compiled_model") is None:
        return (
            f"{name}: expected an {PACKAGE} with CompiledModel, got {_version()}; "
            f"pip install -U {PACKAGE}"
        )
    return ""


class CompiledSession:
    """A model that an accelerator took whole.

    Args:
        model: the bytes of a `.tflite` file.
        compile: gives the CompiledModel, for an accelerator without the CPU beside it: then
            LiteRT raises where an operator is left.
        name: of the delegate, for the error.
        runs_on: for a person; may be set once more is known.

    Raises:
        EdgecrnnError: it was not taken whole.
    """

    def __init__(self, model: bytes, compile: Callable[[], Any], name: str, runs_on: str):
        plain = bare_interpreter(model, 1, PACKAGE)
        self._signature = signature_name(plain)
        # CompiledModel tells no scales; the interpreter does.
        inputs, outputs = signature_ports(plain)
        self.integer = has_integers(plain)
        self._operators = operator_names(operator_details(plain))
        self.runs_on = runs_on
        self.runtime = f"{PACKAGE} {_version()}"
        try:
            self._model = compile()
        except RuntimeError as error:
            raise EdgecrnnError(
                f"{name}: expected it to take the whole model, but {_words(str(error))}; "
                "try another --variant or --delegate"
            ) from error
        self._buffers: list[Any] = []
        self._ports: list[Port] = []
        self.inputs = {
            key: self._bound(port, self._model.create_input_buffer_by_name(self._signature, key))
            for key, port in inputs.items()
        }
        self.outputs = {
            key: self._bound(port, self._model.create_output_buffer_by_name(self._signature, key))
            for key, port in outputs.items()
        }
        self._given = {key: self._buffers[port.index] for key, port in self.inputs.items()}
        self._wanted = {key: self._buffers[port.index] for key, port in self.outputs.items()}

    def write(self, index: int, values: npt.NDArray[Any]) -> None:
        """Set an input."""
        self._buffers[index].write(values)

    def invoke(self) -> None:
        """Run the graph and wait for it."""
        self._model.run_by_name(self._signature, self._given, self._wanted)

    def read(self, index: int) -> npt.NDArray[Any]:
        """An output's values."""
        port = self._ports[index]
        count = int(np.prod(port.shape))
        values: npt.NDArray[Any] = self._buffers[index].read(count, port.dtype)
        return values.reshape(port.shape)

    def placement(self) -> Placement:
        """All of it in one piece: with anything left it would not have loaded."""
        return Placement(self._operators, frozenset(range(len(self._operators))), 1)

    def _bound(self, port: Port, buffer: Any) -> Port:
        """The port, its index the buffer's place here."""
        self._buffers.append(buffer)
        bound = Port(len(self._ports), port.shape, port.dtype, port.scale, port.zero_point)
        self._ports.append(bound)
        return bound


def _words(error: str) -> str:
    """LiteRT's last line, which names the cause."""
    if "not accelerated" in error:
        return "some operators are left, or no such device is there"
    lines = [line.strip(" └") for line in error.splitlines() if line.strip(" └")]
    return f"LiteRT said: {(lines or ['nothing'])[-1][:300]}"


def _version() -> str:
    return importlib.metadata.version(PACKAGE)
