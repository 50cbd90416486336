"""The board's GPU through LiteRT's CompiledModel: WebGPU on Vulkan.

Nothing that it says of itself is believed. An all-integer int8 model makes shader code that does
not compile, and then answers garbage: exit code 0, fully accelerated, the only trace a line
"Validation error" on standard error. So int8 is refused, the model runs in a process of its own
whose standard error is read, every output is compared with the CPU's, and the adapter's name is
recorded: what ran here may be software.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.backends import Placement
from edgecrnn.convert.backends._model import INT8S, listed, read_graph
from edgecrnn.convert.backends._tool import Said, require, run_tool
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import make_interpreter, runtime_version
from edgecrnn.runtime.own_module import module_words
from edgecrnn.runtime.settings import check as check_settings
from edgecrnn.runtime.settings import setting

TITLE = "GPU, WebGPU on Vulkan"
RECIPES = ("float16", "float32")
_ADAPTER = re.compile(r"Selected adapter: (.+)")
_UNSUPPORTED = re.compile(r"not supported by GPU delegate:\n(.+)\n(.+will run on the CPU)")
_SEED = 0

Arrays = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Settings:
    """The table [delegate.gpu] of a profile."""

    precision: str = setting(
        "float32", "arithmetic; float16 needs a GPU that has it", choices=("float32", "float16")
    )
    frames: int = setting(8, "compared with the CPU, their states carried", least=1, most=1000)
    tolerance: float = setting(
        1e-3,
        "largest difference from the CPU's outputs, as a share of each output's largest value",
        least=0.0,
        most=1.0,
    )

    def __post_init__(self) -> None:
        check_settings(self)


def check(model: bytes, settings: Settings) -> tuple[str, ...]:
    """Floating point only, builtin operators only."""
    graph = read_graph(model)
    broken = []
    integer: dict[str, int] = {}
    for operator in graph.operators:
        if any(t.type in INT8S for t in (*operator.inputs, *operator.outputs)):
            integer[operator.name] = integer.get(operator.name, 0) + 1
    if integer:
        broken.append(
            f"the GPU takes floating point only, and there are int8 operators ({listed(integer)}): "
            "it answers garbage to these without an error; ship the variant float16"
        )
    if graph.count(custom=True):
        broken.append(
            f"the GPU takes builtin operators only, not {listed(graph.count(custom=True))}"
        )
    return tuple(broken)


def compile(model: bytes, settings: Settings) -> bytes:
    """The same bytes: shaders are made on the board."""
    return model


def describe(model: bytes, compiled: bytes, settings: Settings) -> Placement:
    """Run it on this machine's GPU and compare; unproven where there is none."""
    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(compiled)
        files = [str(folder / "model.tflite"), str(folder / "found.json")]
        chosen = [str(settings.frames), settings.precision]
        said = run_tool(module_words(__spec__.name, *files, *chosen))
        if "No adapters found" in said.errors:
            why = {"not_run": "this machine has no Vulkan adapter that WebGPU accepts"}
            return Placement({}, {}, None, "unproven", why)
        _require_shaders(said)
        found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    worst = max(found["differences"], key=lambda output: _rank(found["differences"][output]))
    largest = found["differences"][worst]
    # Written so that NaN is refused too.
    if not largest <= settings.tolerance:
        raise EdgecrnnError(
            f"gpu: expected the CPU's outputs within {settings.tolerance:g} of their largest "
            f"value, got a difference of {largest:g} in {worst}; leave gpu out of the profile's "
            "delegates"
        )
    named = _ADAPTER.search(said.errors)
    adapter = named[1].strip() if named else "not named"
    facts: dict[str, Any] = {
        "runtime": runtime_version(),
        "adapter": adapter,
        "software": "Software" in adapter,
        "precision": settings.precision,
        "compared_frames": settings.frames,
        "largest_difference": largest,
    }
    # GPU alone, without CPU beside it, raises where an operator is left.
    return Placement(read_graph(compiled).count(), {}, 1, "run here", facts)


def _require_shaders(said: Said) -> None:
    """Refuse operators left over, shaders that do not compile, and every other death."""
    if "Validation error" in said.errors:
        words = said.errors[said.errors.index("Validation error") :].splitlines()[0]
        raise EdgecrnnError(
            f"gpu: expected shaders that compile, but it said: {words}; its answers would be "
            "garbage, leave gpu out of the profile's delegates"
        )
    left = _UNSUPPORTED.search(said.errors)
    if left:
        raise EdgecrnnError(
            f"gpu: expected every operator to run on the GPU, but {left[1]} {left[2]}; change the "
            "network, or leave gpu out of the profile's delegates"
        )
    # Its log is full of lines that begin with "error:" and mean nothing; its code does mean.
    if said.code:
        require(said, "gpu")


def _rank(difference: float) -> float:
    return float("inf") if np.isnan(difference) else difference


def _main(model: bytes, found: Path, frames: int, precision: str) -> None:
    """In the process of its own: compare, and write what was found."""
    differences = _differences(model, frames, precision)
    found.write_text(json.dumps({"differences": differences}), encoding="utf-8")


def _differences(model: bytes, frames: int, precision: str) -> dict[str, float]:
    """The largest difference of each output from the CPU's, as a share of its largest value there.

    Both get the same inputs in each step: made-up frames, and the states that the CPU gave.
    """
    interpreter = make_interpreter(model)
    signature = next(iter(interpreter.get_signature_list()))
    cpu = interpreter.get_signature_runner(signature)
    gpu = _gpu_step(model, signature, cpu.get_output_details(), precision)
    inputs: Arrays = {
        name: np.zeros(detail["shape"], np.float32)
        for name, detail in cpu.get_input_details().items()
    }
    largest: dict[str, float] = {}
    apart: dict[str, float] = {}
    for frame in _frames(inputs["frame"].shape, frames):
        inputs["frame"] = frame
        on_cpu: Arrays = cpu(**inputs)
        on_gpu = gpu(inputs)
        for name, values in on_cpu.items():
            largest[name] = max(largest.get(name, 0.0), float(np.abs(values).max()))
            # np.maximum keeps a NaN, Python's max may lose it.
            difference = np.abs(values - on_gpu[name]).max()
            apart[name] = float(np.maximum(apart.get(name, 0.0), difference))
        for name in inputs.keys() & {output.removesuffix("_out") for output in on_cpu}:
            inputs[name] = on_cpu[f"{name}_out"]
    return {name: apart[name] / (largest[name] or 1.0) for name in apart}


def _gpu_step(model: bytes, signature: str, outputs: Mapping[str, Any], precision: str) -> Any:
    """A function from inputs by name to outputs by name, on the GPU alone."""
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.options import GpuOptions, Options

    options = Options(
        hardware_accelerators=HardwareAccelerator.GPU,
        gpu_options=GpuOptions(enforce_f32=precision == "float32"),
    )
    compiled = CompiledModel.from_buffer(model, options=options)

    def step(inputs: Arrays) -> Arrays:
        given = {name: compiled.create_input_buffer_by_name(signature, name) for name in inputs}
        for name, values in inputs.items():
            given[name].write(np.ascontiguousarray(values))
        wanted = {name: compiled.create_output_buffer_by_name(signature, name) for name in outputs}
        compiled.run_by_name(signature, given, wanted)
        return {
            name: np.array(wanted[name].read(int(np.prod(detail["shape"])), np.float32)).reshape(
                detail["shape"]
            )
            for name, detail in outputs.items()
        }

    return step


def _frames(shape: tuple[int, ...], count: int) -> list[npt.NDArray[np.float32]]:
    """Pixels 0 to 255: noise, and every fourth frame black or white."""
    noise = np.random.default_rng(_SEED).integers(0, 256, (count, *shape)).astype(np.float32)
    noise[2::8] = 0.0
    noise[6::8] = 255.0
    return list(noise)


if __name__ == "__main__":
    _main(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
