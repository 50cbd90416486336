"""The one place that imports a TFLite runtime and makes an interpreter."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.quiet import without_chatter

RUNTIMES = ("ai_edge_litert", "tflite_runtime")


def make_interpreter(model: bytes, threads: int = 1) -> Any:
    """An interpreter with its tensors allocated.

    Args:
        model: the bytes of a `.tflite` file, already verified.
        threads: CPU threads of the delegate.

    Raises:
        EdgecrnnError: no runtime is installed, or it cannot load the model.
    """
    module = _runtime()
    try:
        with without_chatter():
            interpreter = module.Interpreter(model_content=model, num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise EdgecrnnError(
            f"model: {module.__name__.split('.')[0]} could not load it ({reason}); "
            "install a newer runtime, or convert the run again for this one"
        ) from error
    return interpreter


def _runtime() -> Any:
    """The first runtime that is installed; its INFO lines on standard error are turned off."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for name in RUNTIMES:
        try:
            return importlib.import_module(f"{name}.interpreter")
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] != name:
                raise
    raise EdgecrnnError(
        "runtime: expected ai-edge-litert or tflite-runtime to be installed, got neither; "
        "pip install ai-edge-litert"
    )


def runtime_package() -> tuple[str, str]:
    """The installed runtime and its version, for example ("ai-edge-litert", "2.3.0")."""
    name = _runtime().__name__.split(".")[0].replace("_", "-")
    return name, importlib.metadata.version(name)


def runtime_version() -> str:
    """The same in one, for example "ai-edge-litert 2.3.0"."""
    return " ".join(runtime_package())
