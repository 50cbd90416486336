"""The one place that imports a TFLite runtime and makes an interpreter."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.quiet import without_chatter

# As pip calls them, the preferred one first.
RUNTIMES = ("ai-edge-litert", "tflite-runtime")
# What a delegate library exports (TensorFlow Lite, external_delegate_interface.h).
_PLUGIN = ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate")


def make_interpreter(
    model: bytes, threads: int = 1, package: str | None = None, delegates: Sequence[Any] = ()
) -> Any:
    """An interpreter with its tensors allocated.

    Args:
        model: the bytes of a `.tflite` file, already verified.
        threads: CPU threads.
        package: one of RUNTIMES, None for the first that is installed.
        delegates: what `load_library` gave, of the same package.

    Raises:
        EdgecrnnError: no runtime is installed, it cannot load the model, or a delegate fails.
    """
    with without_chatter():
        interpreter = bare_interpreter(model, threads, package, delegates)
        allocate(interpreter)
    return interpreter


def bare_interpreter(
    model: bytes, threads: int = 1, package: str | None = None, delegates: Sequence[Any] = ()
) -> Any:
    """The same before its tensors are allocated: the delegates given have chosen, XNNPACK not.

    What libraries write to standard error while they start is let through: it may be the only
    trace of a failure.
    """
    module = _runtime(package)
    try:
        return module.Interpreter(
            model_content=model,
            num_threads=threads,
            experimental_delegates=list(delegates) or None,
        )
    except (ValueError, RuntimeError) as error:
        raise _refusal(_package_of(module), error, bool(delegates)) from error


def allocate(interpreter: Any) -> None:
    """Allocate its tensors; XNNPACK chooses its operators here.

    Raises:
        EdgecrnnError: the runtime cannot load the model.
    """
    try:
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        package = type(interpreter).__module__.split(".")[0].replace("_", "-")
        raise _refusal(package, error, False) from error


def load_library(path: str, options: Mapping[str, str], package: str | None = None) -> Any:
    """The delegate that a shared library makes.

    Raises:
        EdgecrnnError: the library cannot be loaded, or makes none.
    """
    module = _runtime(package)
    try:
        # The package's own class fails a second time, in its finalizer, without these two.
        library = ctypes.PyDLL(path)
        if not all(hasattr(library, name) for name in _PLUGIN):
            raise EdgecrnnError(
                f"{path}: expected a delegate library, got one without {_PLUGIN[0]}; name another"
            )
        return module.load_delegate(path, dict(options))
    # The documented ValueError comes from the library, OSError from the loader.
    except (ValueError, OSError, RuntimeError) as error:
        reason = str(error).replace(f"Failed to load delegate from {path}", "").strip()
        raise EdgecrnnError(
            f"{path}: expected it to make a delegate, but it said: {_one_line(reason)}; "
            "see that its device is plugged in and its driver is there"
        ) from error


def installed_runtimes() -> tuple[str, ...]:
    """The packages of RUNTIMES that are installed; none of them is imported."""
    return tuple(name for name in RUNTIMES if importlib.util.find_spec(_module(name)) is not None)


def runtime_package(package: str | None = None) -> tuple[str, str]:
    """A runtime and its version, for example ("ai-edge-litert", "2.3.0").

    Raises:
        EdgecrnnError: it is not installed, or cannot be imported.
    """
    name = _package_of(_runtime(package))
    try:
        return name, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError as error:
        # Some boards' images carry the module without what pip knows of it.
        version = getattr(importlib.import_module(_module(name)), "__version__", "")
        if not version:
            raise EdgecrnnError(
                f"runtime: expected to learn the version of {name}, got none; pip install {name}"
            ) from error
        return name, str(version)


def runtime_version(package: str | None = None) -> str:
    """The same in one, for example "ai-edge-litert 2.3.0"."""
    return " ".join(runtime_package(package))


def _runtime(package: str | None = None) -> Any:
    """The module of that package; its INFO lines on standard error are turned off."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    installed = installed_runtimes()
    if not installed or package not in (None, *installed):
        wanted = package or "ai-edge-litert or tflite-runtime"
        raise EdgecrnnError(
            f"runtime: expected {wanted} to be installed, got "
            f"{' and '.join(installed) or 'neither'}; pip install {package or RUNTIMES[0]}"
        )
    name = package or installed[0]
    try:
        return importlib.import_module(f"{_module(name)}.interpreter")
    except (ImportError, AttributeError) as error:
        raise EdgecrnnError(
            f"runtime: expected {name} to load, but it said: {_one_line(str(error))}; "
            "tflite-runtime needs numpy<2, otherwise install it again"
        ) from error


def _refusal(package: str, error: Exception, delegates: bool) -> EdgecrnnError:
    reason = _one_line(str(error))
    if delegates:
        return EdgecrnnError(
            f"delegate: expected it to take the model, but it said: {reason}; "
            "see that its device and its driver are there"
        )
    return EdgecrnnError(
        f"model: {package} could not load it ({reason}); "
        "install a newer runtime, or convert the run again for this one"
    )


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    # The interpreter adds words of its own to a delegate's, without a space.
    return (lines or ["nothing"])[0].split("Restored original execution plan")[0][:300]


def _module(package: str) -> str:
    return package.replace("-", "_")


def _package_of(module: Any) -> str:
    return str(module.__name__.split(".")[0].replace("_", "-"))
