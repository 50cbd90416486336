"""LiteRT's ahead-of-time compilation for NPUs, where the vendor's own compiler is installed.

The wheel of ai-edge-litert carries a plugin a vendor, and none of the libraries that the plugins
load: those come with a package of the vendor's. LiteRT writes what the plugin said to a file and
raises only its name, so that file is read. No NPU has run what was made here.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import tempfile
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

from edgecrnn.convert.backends import Placement
from edgecrnn.convert.backends._model import left_over, listed, not_int8, read_graph, with_labels
from edgecrnn.convert.backends._tool import require, run_tool
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import runtime_version
from edgecrnn.runtime.own_module import module_words
from edgecrnn.runtime.settings import check as check_settings
from edgecrnn.runtime.settings import setting

TITLE = "Vendor's NPU, compiled ahead of time by LiteRT"
RECIPES = ("int8",)
# Vendor, as `ai_edge_litert.aot.vendors` calls it: the module that its compiler comes with, and
# what to install for it.
VENDORS = {
    "google_tensor": ("ai_edge_litert_sdk_google_tensor", "ai-edge-litert-sdk-google-tensor"),
    "intel_openvino": ("ai_edge_litert_sdk_intel", "openvino ai-edge-litert-sdk-intel"),
    "mediatek": ("ai_edge_litert_sdk_mediatek", "ai-edge-litert-sdk-mediatek"),
    "qualcomm": ("ai_edge_litert_sdk_qualcomm", "ai-edge-litert-sdk-qualcomm"),
    "samsung": ("ai_edge_litert_sdk_samsung", "ai-edge-litert-sdk-samsung"),
}
_LOG = re.compile(r"See (\S+\.error) for details")
_SAID = re.compile(r"Could not load shared library|^ERROR|Error:|Cannot load")


@dataclass(frozen=True)
class Settings:
    """The table [delegate.litert-npu] of a profile."""

    vendor: str = setting(MISSING, "whose NPU", choices=tuple(VENDORS))
    soc: str = setting(MISSING, "the chip, as the vendor calls it, for example SM8650")

    def __post_init__(self) -> None:
        check_settings(self)


def check(model: bytes, settings: Settings) -> tuple[str, ...]:
    """All-integer, builtin operators, a chip that LiteRT knows."""
    graph = read_graph(model)
    broken = list(not_int8(graph, f"the NPU of {settings.vendor}"))
    if graph.count(custom=True):
        broken.append(f"LiteRT compiles builtin operators, not {listed(graph.count(custom=True))}")
    known = [soc.value for soc in _target(settings.vendor).SocModel if soc.value != "ALL"]
    if settings.soc not in known:
        broken.append(
            f"soc: expected one of {', '.join(known)} of {settings.vendor}, got {settings.soc!r}"
        )
    return tuple(broken)


def compile(model: bytes, settings: Settings) -> bytes:
    """Run LiteRT's compiler in a process of its own; the labels are kept."""
    module, package = VENDORS[settings.vendor]
    if importlib.util.find_spec(module) is None:
        raise EdgecrnnError(
            f"litert-npu: expected the compiler of {settings.vendor} to be installed, got none; "
            f"pip install {package}"
        )
    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(model)
        files = [str(folder / "model.tflite"), str(folder / "compiled.tflite")]
        command = module_words(__spec__.name, *files, settings.vendor, settings.soc)
        said = run_tool(command, {"TMPDIR": name})
        log = _LOG.search(said.errors)
        if said.code and log:
            raise EdgecrnnError(
                f"litert-npu: expected a model for {settings.vendor} {settings.soc}, but its "
                f"plugin said: {_words(Path(log[1]).read_text('utf-8', errors='replace'))}"
            )
        if said.code:
            require(said, "litert-npu")
        return with_labels(model, (folder / "compiled.tflite").read_bytes())


def describe(model: bytes, compiled: bytes, settings: Settings) -> Placement:
    """What the plugin took: it puts a custom operator in the place of each piece."""
    graph = read_graph(compiled)
    taken, left = left_over(read_graph(model), graph)
    partitions = sum(graph.count(custom=True).values())
    if not partitions:
        raise EdgecrnnError(
            f"litert-npu: expected operators for {settings.soc}, got none in what was compiled "
            f"({listed(left)} are left to the CPU); change the network"
        )
    facts = {"compiler": runtime_version(), "vendor": settings.vendor, "soc": settings.soc}
    return Placement(taken, left, partitions, "unproven", facts)


def _words(log: str) -> str:
    """The last two lines that say what went wrong."""
    lines = [line.strip("└ ").strip() for line in log.splitlines() if _SAID.search(line)]
    return " ".join(lines[-2:])[-400:] or "nothing"


def _target(vendor: str) -> Any:
    return importlib.import_module(f"ai_edge_litert.aot.vendors.{vendor}.target")


def _main(source: Path, out: Path, vendor: str, soc: str) -> None:
    """In the process of its own: compile, and write the model."""
    from ai_edge_litert.aot.aot_compile import aot_compile
    from ai_edge_litert.aot.core.aot_types import Model

    # The vendor's backend registers itself when it is imported.
    importlib.import_module(f"ai_edge_litert.aot.vendors.{vendor}.{vendor}_backend")
    target = _target(vendor)
    done = aot_compile(
        Model.create_from_bytes(source.read_bytes()),
        target=target.Target(target.SocModel(soc)),
        keep_going=False,
    )
    out.write_bytes(done.models[0].model_bytes)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4])
