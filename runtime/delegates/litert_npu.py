"""A vendor's NPU through LiteRT's dispatch library, where the vendor's package is installed.

With the NPU alone asked for, LiteRT raises where there is none; with the CPU beside it, it falls
back without a word. OpenVINO's own CPU backend stands in for an Intel NPU where none is:
`--delegate-option backend=cpu`. No NPU has run what is loaded here.
"""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path
from typing import Any

from edgecrnn.runtime.delegates import Terms
from edgecrnn.runtime.delegates._compiled import PACKAGE, CompiledSession, check_package
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.quiet import overheard

TITLE = "Vendor's NPU, LiteRT dispatch"
VARIANTS = ("int8.litert-npu", "int8")
PACKAGES = (PACKAGE,)
_BACKENDS = ("npu", "cpu", "gpu")
# What Intel's dispatch library is linked with; it finds them once they are in the process.
_OPENVINO = ("libtbb.so*", "libopenvino.so*", "libopenvino_tensorflow_lite_frontend.so*")


def check(terms: Terms) -> str:
    """A dispatch library came with the runtime, and the vendor's package is there."""
    backend = terms.options.get("backend", _BACKENDS[0])
    if terms.library or set(terms.options) - {"backend"} or backend not in _BACKENDS:
        return (
            "litert-npu: expected no library, and no option but backend=npu, cpu or gpu, "
            f"got {terms.library or dict(terms.options)}"
        )
    reason = check_package("litert-npu", terms.package)
    if reason:
        return reason
    vendors = _vendors()
    if not vendors:
        return (
            "litert-npu: expected a vendor's dispatch library in ai-edge-litert for this machine, "
            "got none; take another --delegate"
        )
    if vendors == ["intel_openvino"] and importlib.util.find_spec("openvino") is None:
        return (
            "litert-npu: expected OpenVINO, which Intel's dispatch library is linked with, got "
            "none; pip install openvino, of the version that ai-edge-litert was built with"
        )
    return ""


def load(model: bytes, terms: Terms) -> CompiledSession:
    """The model on the NPU alone."""
    reason = check(terms)
    if reason:
        raise EdgecrnnError(reason)
    backend = terms.options.get("backend", _BACKENDS[0])
    vendor = _vendors()[0]
    with overheard():
        _load_openvino()
        session = CompiledSession(
            model, lambda: _compiled(model, backend), "litert-npu", f"{vendor} {backend}"
        )
        session.invoke()
    return session


def describe(terms: Terms) -> str:
    """The vendor."""
    return f"dispatch library of {', '.join(_vendors()) or 'nobody'}"


def _vendors() -> list[str]:
    """Vendors whose dispatch library came with the runtime."""
    found = importlib.util.find_spec("ai_edge_litert")
    if found is None or found.origin is None:
        return []
    libraries = Path(found.origin).parent.glob("vendors/*/dispatch/libLiteRtDispatch_*.so")
    return sorted(library.parent.parent.name for library in libraries)


def _load_openvino() -> None:
    """OpenVINO's libraries are in its own package, where no loader looks."""
    found = importlib.util.find_spec("openvino")
    if found is None or found.origin is None:
        return
    for pattern in _OPENVINO:
        for library in sorted((Path(found.origin).parent / "libs").glob(pattern)):
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def _compiled(model: bytes, backend: str) -> Any:
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.intel_openvino_options import (
        IntelOpenVinoGraphBackend,
        IntelOpenVinoOptions,
    )
    from ai_edge_litert.options import Options

    chosen = IntelOpenVinoGraphBackend[backend.upper()]
    options = Options(
        hardware_accelerators=HardwareAccelerator.NPU,
        intel_openvino_options=IntelOpenVinoOptions(graph_backend=chosen),
    )
    return CompiledModel.from_buffer(model, options=options)
