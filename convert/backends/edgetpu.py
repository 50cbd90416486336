"""Coral Edge TPU, through Google's `edgetpu_compiler`.

The compiler comes from Google's own Debian repository, for x86-64, and from no package index. So
its rules are checked here beforehand, by what its documentation says (coral.ai/docs/edgetpu,
"TensorFlow models on the Edge TPU", requirements and table of operations): a person knows before
the compiler is there. An operator that it does not take leaves it and everything after it to the
CPU, so one is refused. No Edge TPU has run what was made here.
"""

from __future__ import annotations

import functools
import math
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.convert.backends import Placement
from edgecrnn.convert.backends._model import (
    INT8S,
    Graph,
    Operator,
    left_over,
    listed,
    not_int8,
    read_graph,
    with_labels,
)
from edgecrnn.convert.backends._tool import require, run_tool
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check as check_settings
from edgecrnn.runtime.settings import setting

TITLE = "Coral Edge TPU, compiled with edgetpu_compiler"
RECIPES = ("int8",)
_COMPILER = "edgetpu_compiler"
_TAKEN = "edgetpu-custom-op"
# The table of operations at runtime version 14, by the names of the TFLite schema.
OPERATORS = set(
    """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED
    L2_NORMALIZATION LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE
    REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR
    RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM TANH
    TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM
    """.split()  # noqa: SIM905  (one a line fills a page)
)
# Must have no activation fused into them, by the same table.
_UNFUSED = ("AVERAGE_POOL_2D", "CONCATENATION", "MAX_POOL_2D")
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_SOFTMAX_MOST = 16000
_MEMORY = re.compile(r"^((?:On|Off)-chip memory .+?): (.+)$", re.MULTILINE)
_VERSION = re.compile(r"Edge TPU Compiler version (\S+)")


@dataclass(frozen=True)
class Settings:
    """The table [delegate.edgetpu] of a profile."""

    min_runtime_version: int = setting(
        14, "oldest Edge TPU runtime that must run it", least=10, most=14
    )
    library: str = setting("libedgetpu.so.1", "delegate that the board's runtime loads")

    def __post_init__(self) -> None:
        check_settings(self)


def check(model: bytes, settings: Settings) -> tuple[str, ...]:
    """The compiler's documented rules."""
    graph = read_graph(model)
    # What a float model breaks besides says nothing of the int8 one.
    if floats := not_int8(graph, "the Edge TPU"):
        return floats
    broken = []
    unknown = {name: n for name, n in graph.count().items() if name not in OPERATORS}
    unknown.update(graph.count(custom=True))
    if unknown:
        broken.append(
            f"the Edge TPU does not run {listed(unknown)}, and leaves all that comes after to the "
            "CPU; change the network"
        )
    broken += _shapes(graph)
    broken += [said for op in graph.operators for said in _limits(op)]
    if graph.subgraphs > 1:
        broken.append(f"the Edge TPU takes one subgraph only, and there are {graph.subgraphs}")
    return tuple(dict.fromkeys(broken))


def compile(model: bytes, settings: Settings) -> bytes:
    """Run `edgetpu_compiler`; the labels are kept."""
    written, _ = _run(_compiler(), model, settings.min_runtime_version)
    return with_labels(model, written)


def describe(model: bytes, compiled: bytes, settings: Settings) -> Placement:
    """What stands in the compiled model, and what the compiler said of its memory."""
    graph = read_graph(compiled)
    taken, left = left_over(read_graph(model), graph)
    partitions = graph.count(custom=True).get(_TAKEN, 0)
    if not partitions:
        raise EdgecrnnError(
            f"{_COMPILER}: expected operators for the Edge TPU, got none in what it wrote "
            f"({listed(left)} are left to the CPU); change the network"
        )
    _, said = _run(_compiler(), model, settings.min_runtime_version)
    version = _VERSION.search(said)
    facts: dict[str, Any] = {
        "compiler": f"{_COMPILER} {version[1]}" if version else _COMPILER,
        "min_runtime_version": settings.min_runtime_version,
        "library": settings.library,
        **dict(_MEMORY.findall(said)),
    }
    return Placement(taken, left, partitions, "unproven", facts)


def _compiler() -> str:
    found = shutil.which(_COMPILER)
    if found is None:
        raise EdgecrnnError(
            f"edgetpu: expected {_COMPILER} on the PATH, got none; it is for x86-64 Debian: add "
            "Google's repository https://packages.cloud.google.com/apt coral-edgetpu-stable main "
            "(coral.ai/docs/edgetpu/compiler), then apt install edgetpu-compiler"
        )
    return found


@functools.lru_cache(maxsize=2)
def _run(compiler: str, model: bytes, min_runtime_version: int) -> tuple[bytes, str]:
    """What the compiler wrote and said; `describe` asks again for what `compile` had."""
    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(model)
        options = ["--min_runtime_version", str(min_runtime_version), "--out_dir", name]
        said = run_tool([compiler, *options, str(folder / "model.tflite")])
        require(said, _COMPILER)
        written = folder / "model_edgetpu.tflite"
        if not written.is_file():
            lines = [line for line in said.out.splitlines() if line.strip()] or ["nothing"]
            raise EdgecrnnError(
                f"{_COMPILER}: expected it to write {written.name}, got none; it said: {lines[-1]}"
            )
        return written.read_bytes(), said.out


def _shapes(graph: Graph) -> list[str]:
    """Static, batch 1, at most three sides that are not 1."""
    said = []
    for tensor in (*graph.inputs.values(), *graph.outputs.values()):
        if len(tensor.shape) > 1 and tensor.shape[0] != 1:
            said.append(
                f"the Edge TPU takes a batch of 1, and {tensor.name} is {list(tensor.shape)}"
            )
    for tensor in graph.tensors():
        if tensor.dynamic:
            said.append(f"the Edge TPU takes static shapes, and {tensor.name}'s is dynamic")
        # Weights have a layout of their own; these rules are on what flows.
        elif not tensor.constant and tensor.type not in INT8S:
            said.append(f"the Edge TPU takes 8-bit tensors, and {tensor.name} is {tensor.type}")
        elif not tensor.constant and math.prod(tensor.shape[:-3]) != 1:
            said.append(
                f"the Edge TPU takes tensors of three dimensions, the outer ones 1, and "
                f"{tensor.name} is {list(tensor.shape)}"
            )
    return said


def _limits(operator: Operator) -> list[str]:
    """What the table says beside an operator, as far as a step graph can break it."""
    options, name = operator.options, operator.name
    said = []
    if name in _UNFUSED and options.fusedActivationFunction:
        said.append(f"the Edge TPU takes {name} without a fused activation only")
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        dilation = (options.dilationWFactor, options.dilationHFactor)
        if dilation[0] != dilation[1]:
            said.append(f"the Edge TPU takes {name} with one dilation in x and y, got {dilation}")
    if name == "FULLY_CONNECTED" and math.prod(operator.outputs[0].shape[:-1]) != 1:
        said.append(
            f"the Edge TPU takes FULLY_CONNECTED with a one-dimensional output, got "
            f"{list(operator.outputs[0].shape)}"
        )
    if name == "SOFTMAX" and math.prod(operator.inputs[0].shape) > _SOFTMAX_MOST:
        said.append(f"the Edge TPU takes SOFTMAX of at most {_SOFTMAX_MOST} elements")
    if name == "STRIDED_SLICE" and (
        options.ellipsisMask or options.newAxisMask or set(operator.inputs[3].integers) != {1}
    ):
        said.append("the Edge TPU takes STRIDED_SLICE with strides of 1 and without masks only")
    if name in _WEIGHTED and not all(tensor.constant for tensor in operator.inputs[1:]):
        said.append(f"the Edge TPU takes {name} with constant weights only")
    return said
