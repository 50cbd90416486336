"""The GPU through LiteRT's CompiledModel: WebGPU on Vulkan.

An all-integer int8 model makes shader code that does not compile, and then answers garbage: exit
code 0, fully accelerated, the only trace a line "Validation error" on standard error. So integers
are refused, and standard error is read while the model is loaded and run for the first time.
"""

from __future__ import annotations

import re
from typing import Any

from edgecrnn.runtime.delegates import Terms
from edgecrnn.runtime.delegates._compiled import PACKAGE, CompiledSession, check_package
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.quiet import overheard

TITLE = "GPU, WebGPU on Vulkan"
VARIANTS = ("float16", "float32")
PACKAGES = (PACKAGE,)
_ADAPTER = re.compile(r"Selected adapter: (.+)")
_UNSUPPORTED = re.compile(r"not supported by GPU delegate:\n(.+)\n.+will run on the CPU")
_PRECISIONS = ("float32", "float16")


def check(terms: Terms) -> str:
    """The runtime has it, and is given nothing that it does not know."""
    precision = terms.options.get("precision", _PRECISIONS[0])
    if terms.library or set(terms.options) - {"precision"} or precision not in _PRECISIONS:
        return (
            "gpu: expected no library, and no option but precision=float32 or precision=float16, "
            f"got {terms.library or dict(terms.options)}"
        )
    return check_package("gpu", terms.package)


def load(model: bytes, terms: Terms) -> CompiledSession:
    """The model on the GPU alone. Arithmetic is float32 unless float16 is asked for."""
    reason = check(terms)
    if reason:
        raise EdgecrnnError(reason)
    with overheard() as heard:
        try:
            session = CompiledSession(model, lambda: _compiled(model, terms), "gpu", "WebGPU")
            if not session.integer:
                session.invoke()
        except (EdgecrnnError, RuntimeError) as error:
            raise EdgecrnnError(_why(heard(), str(error))) from error
        said = heard()
    if session.integer:
        raise EdgecrnnError(
            "gpu: expected a model of floating point, got one with int8 tensors, which it answers "
            "with garbage and no error; take --variant float16"
        )
    if "Validation error" in said:
        raise EdgecrnnError(_why(said, ""))
    session.runs_on = f"WebGPU on {_adapter(said)}"
    return session


def describe(terms: Terms) -> str:
    """The adapter is known once a model is loaded."""
    return TITLE


def _adapter(said: str) -> str:
    """Its name, and "software" where it is no hardware."""
    named = _ADAPTER.search(said)
    if named is None:
        return "an adapter without a name"
    name = named[1].split(", ")[0].strip()
    return f"{name}, software" if "Software" in named[1] else name


def _why(said: str, error: str) -> str:
    """What its log says, which the error alone does not."""
    if "No adapters found" in said:
        return (
            "gpu: expected a GPU with Vulkan, got none that WebGPU accepts; install its driver "
            "(vulkaninfo lists what there is)"
        )
    if "Validation error" in said:
        words = said[said.index("Validation error") :].splitlines()[0]
        return (
            f"gpu: expected shaders that compile, but it said: {words}; its answers would be "
            "garbage, take another --variant or --delegate"
        )
    left = _UNSUPPORTED.search(said)
    if left:
        return f"gpu: expected it to take every operator, but not {left[1]}; take --delegate cpu"
    return error


def _compiled(model: bytes, terms: Terms) -> Any:
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.options import GpuOptions, Options

    exact = terms.options.get("precision", _PRECISIONS[0]) == "float32"
    options = Options(
        hardware_accelerators=HardwareAccelerator.GPU,
        gpu_options=GpuOptions(enforce_f32=exact),
    )
    return CompiledModel.from_buffer(model, options=options)
