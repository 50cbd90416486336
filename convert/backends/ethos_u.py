"""Arm Ethos-U55, U65 and U85, through Arm's compiler vela.

vela exits with 0 whatever it leaves to the CPU, a float model whole. So what it took is read from
the model that it wrote: each piece for the NPU is one custom operator `ethos-u`, the rest stands
there as it was. Its cycles and inferences a second are its own estimate, for the memory system that
the settings name; no NPU ran anything.
"""

from __future__ import annotations

import csv
import functools
import importlib.metadata
import importlib.util
import math
import re
import tempfile
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any

from edgecrnn.convert.backends import Placement
from edgecrnn.convert.backends._model import left_over, listed, not_int8, read_graph, with_labels
from edgecrnn.convert.backends._tool import require, run_tool
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.own_module import module_words
from edgecrnn.runtime.settings import check as check_settings
from edgecrnn.runtime.settings import setting

TITLE = "Arm Ethos-U NPU, compiled with vela"
RECIPES = ("int8",)
# What `vela --help` lists at 5.2.0.
ACCELERATORS = (
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
)
_CPU_OPERATORS = re.compile(r"^CPU operators = (\d+)", re.MULTILINE)
_NPU_OPERATORS = re.compile(r"^NPU operators = (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Settings:
    """The table [delegate.ethos-u] of a profile."""

    # No default: what is compiled for one of them runs on no other.
    accelerator: str = setting(
        MISSING, "NPU and its multiply-accumulate units", choices=ACCELERATORS
    )
    system_config: str = setting("", "memory system, a section of the configuration; vela's own")
    memory_mode: str = setting("", "who uses the SRAM, a section of the configuration; vela's own")
    config: str = setting("Arm/vela.ini", "vela's, or the path of a vendor's .ini file")
    optimise: str = setting("Performance", "what for", choices=("Performance", "Size"))
    cpu_operators: int = setting(
        0, "most that may be left to the CPU, counted as vela does", least=0
    )
    library: str = setting(
        "libethosu_delegate.so", "delegate that the board's runtime loads; empty where none is"
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if bool(self.system_config) != bool(self.memory_mode):
            raise EdgecrnnError(
                "system_config and memory_mode: expected both or neither (vela takes no default "
                f"beside a choice), got {self.system_config!r} and {self.memory_mode!r}"
            )
        family = self.accelerator.split("-")[1].upper()
        named = re.match(r"Ethos_(U\d+)_", self.system_config)
        if named and named[1] != family:
            raise EdgecrnnError(
                f"system_config: expected one for {family}, as accelerator says, got "
                f"{self.system_config!r}; vela would estimate for the wrong NPU"
            )


@dataclass(frozen=True)
class _Compiled:
    """What vela wrote: the model, its summary's columns, and operators as it counts them."""

    model: bytes
    summary: dict[str, str]
    on_cpu: int
    on_npu: int


def check(model: bytes, settings: Settings) -> tuple[str, ...]:
    """All-integer, static shapes, one subgraph."""
    graph = read_graph(model)
    broken = list(not_int8(graph, "Ethos-U"))
    dynamic = sorted({tensor.name for tensor in graph.tensors() if tensor.dynamic})
    if dynamic:
        broken.append(f"Ethos-U takes static shapes only, and {dynamic[0]} has a dynamic one")
    if graph.subgraphs > 1:
        broken.append(f"Ethos-U takes one subgraph only, and the model has {graph.subgraphs}")
    return tuple(broken)


def compile(model: bytes, settings: Settings) -> bytes:
    """Run vela; labels and signature are kept."""
    done = _vela(model, _arguments(settings))
    if not done.on_npu or done.on_cpu > settings.cpu_operators:
        _, left = left_over(read_graph(model), read_graph(done.model))
        raise EdgecrnnError(
            f"vela: expected at most {settings.cpu_operators} operators left to the CPU, got "
            f"{done.on_cpu} of {done.on_cpu + done.on_npu} ({listed(left)}); change the network, "
            "or allow them with cpu_operators in [delegate.ethos-u]"
        )
    return with_labels(model, done.model)


def describe(model: bytes, compiled: bytes, settings: Settings) -> Placement:
    """What vela took, and what it estimates."""
    done = _vela(model, _arguments(settings))
    graph = read_graph(compiled)
    taken, left = left_over(read_graph(model), graph)
    summary = done.summary
    facts: dict[str, Any] = {
        "compiler": f"ethos-u-vela {importlib.metadata.version('ethos-u-vela')}",
        "accelerator": settings.accelerator,
        "system_config": summary["system_config"],
        "memory_mode": summary["memory_mode"],
        "clock_mhz": float(summary["core_clock"]) / 1e6,
        "npu_operators": done.on_npu,
        "cpu_operators": done.on_cpu,
        "cycles": int(float(summary["cycles_total"])),
        "inferences_a_second": round(_finite(summary["inferences_per_second"]), 1),
        "sram_kib": float(summary["sram_memory_used"]),
        "dram_kib": float(summary["dram_memory_used"]),
        "on_chip_flash_kib": float(summary["on_chip_flash_memory_used"]),
        "off_chip_flash_kib": float(summary["off_chip_flash_memory_used"]),
    }
    if settings.library:
        facts["library"] = settings.library
    if not settings.system_config:
        facts["assumed"] = "vela's default memory system; name the board's in [delegate.ethos-u]"
    return Placement(taken, left, graph.count(custom=True).get("ethos-u", 0), "estimated", facts)


def _finite(text: str) -> float:
    """A number of the summary; 0 for the nan that it says where the NPU does nothing."""
    value = float(text)
    return value if math.isfinite(value) else 0.0


def _arguments(settings: Settings) -> tuple[str, ...]:
    chosen = ["--accelerator-config", settings.accelerator, "--optimise", settings.optimise]
    if settings.system_config:
        chosen += ["--config", settings.config, "--system-config", settings.system_config]
        chosen += ["--memory-mode", settings.memory_mode]
    return tuple(chosen)


@functools.lru_cache(maxsize=2)
def _vela(model: bytes, arguments: tuple[str, ...]) -> _Compiled:
    """Compile once; `describe` asks again for what `compile` had."""
    if importlib.util.find_spec("ethosu") is None:
        raise EdgecrnnError(
            "vela: expected Arm's compiler to be installed, got none; "
            "pip install 'edgecrnn[npu-ethosu]'"
        )
    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(model)
        files = [str(folder / "model.tflite"), "--output-dir", str(folder / "out")]
        said = run_tool(module_words("ethosu.vela", *files, *arguments))
        require(said, "vela")
        written, summaries = folder / "out/model_vela.tflite", [*folder.glob("out/*_summary_*.csv")]
        on_cpu, on_npu = _CPU_OPERATORS.search(said.out), _NPU_OPERATORS.search(said.out)
        if not (written.is_file() and summaries and on_cpu and on_npu):
            raise EdgecrnnError(
                "vela: expected a model, a summary and its count of CPU operators, got an output "
                "that this edgecrnn cannot read; install the version of constraints.txt"
            )
        with summaries[0].open(encoding="utf-8", newline="") as file:
            summary = next(csv.DictReader(file))
        return _Compiled(written.read_bytes(), summary, int(on_cpu[1]), int(on_npu[1]))
