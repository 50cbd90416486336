"""The GPU path, run for real: on this machine's Vulkan, or on SwiftShader, which is software."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.convert.backends import deploy
from edgecrnn.convert.backends import gpu as backend
from edgecrnn.convert.flatbuffer import pack, schema, unpack
from edgecrnn.runtime.errors import EdgecrnnError

# Where Debian's chromium-common keeps the software Vulkan that Chromium falls back to.
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")


@pytest.fixture(scope="module")
def vulkan(models: dict[str, bytes]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if "VK_ICD_FILENAMES" not in os.environ and SWIFTSHADER.is_file():
            patch.setenv("VK_ICD_FILENAMES", str(SWIFTSHADER))
        found = deploy("gpu", {"frames": 1}, {"float32": models["float32"]})
        if found.placement is not None and found.placement.status == "unproven":
            pytest.skip("no Vulkan that WebGPU accepts: apt install chromium-common brings one")
        yield


@pytest.mark.usefixtures("vulkan")
@pytest.mark.parametrize("recipe", ["float16", "float32"])
def test_it_runs_and_agrees_with_the_cpu(models: dict[str, bytes], recipe: str) -> None:
    found = deploy("gpu", {}, {recipe: models[recipe]})
    assert found.refused == "" and found.model == models[recipe]
    placement = found.placement
    assert placement is not None and placement.status == "run here"
    assert placement.left == {} and placement.partitions == 1
    assert placement.taken["LOGISTIC"] == 3
    assert 0 < placement.facts["largest_difference"] < 1e-3
    assert placement.facts["compared_frames"] == 8
    adapter = placement.facts["adapter"]
    assert adapter != "not named" and placement.facts["software"] == ("Software" in adapter)


def test_float16_is_preferred_and_int8_never_taken(models: dict[str, bytes]) -> None:
    assert deploy("gpu", {"frames": 1}, models).recipe == "float16"
    only = deploy("gpu", {}, {"int8": models["int8"]})
    assert only.refused.startswith("gpu takes float16 or float32")


@pytest.mark.parametrize("recipe", ["int8", "int8-mixed"])
def test_int8_is_refused_with_the_reason(models: dict[str, bytes], recipe: str) -> None:
    found = deploy("gpu", {}, {"float16": models[recipe]})
    assert found.model is None
    assert "it answers garbage to these without an error; ship the variant float16" in found.refused


@pytest.mark.usefixtures("vulkan")
def test_shaders_that_do_not_compile_are_seen(models: dict[str, bytes]) -> None:
    """What `check` keeps away, given to the GPU all the same."""
    with pytest.raises(EdgecrnnError, match=r"it said: Validation error: .* would be garbage"):
        backend.describe(models["int8"], models["int8"], backend.Settings())


@pytest.mark.usefixtures("vulkan")
def test_other_outputs_than_the_cpus_are_seen(models: dict[str, bytes]) -> None:
    found = deploy("gpu", {"tolerance": 0.0}, {"float32": models["float32"]})
    assert found.model is None
    assert (
        "expected the CPU's outputs within 0 of their largest value, got a difference of"
        in found.refused
    )


@pytest.mark.usefixtures("vulkan")
def test_nan_weights_are_seen(models: dict[str, bytes]) -> None:
    parsed = unpack(models["float32"])
    graph = parsed.subgraphs[0]
    dense = next(
        op
        for op in graph.operators
        if parsed.operatorCodes[op.opcodeIndex].builtinCode
        == schema.BuiltinOperator.FULLY_CONNECTED
    )
    buffer = parsed.buffers[graph.tensors[dense.inputs[1]].buffer]
    weights = np.asarray(buffer.data, np.uint8).view(np.float32).copy()
    weights[0] = np.nan
    buffer.data = weights.view(np.uint8)
    found = deploy("gpu", {}, {"float32": pack(parsed)})
    assert "got a difference of nan in" in found.refused


@pytest.mark.usefixtures("vulkan")
def test_an_operator_that_the_gpu_has_not_is_named(models: dict[str, bytes]) -> None:
    parsed = unpack(models["float32"])
    for code in parsed.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.LOGISTIC:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.LOG_SOFTMAX
    found = deploy("gpu", {}, {"float32": pack(parsed)})
    assert "expected every operator to run on the GPU, but LOG_SOFTMAX: " in found.refused
    assert "will run on the CPU" in found.refused


def test_a_machine_without_vulkan_says_that_nothing_ran(
    models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    found = deploy("gpu", {}, models)
    assert found.refused == "" and found.model == models["float16"]
    placement = found.placement
    assert placement is not None and placement.status == "unproven"
    assert (placement.taken, placement.partitions) == ({}, None)
    assert "no Vulkan adapter" in placement.facts["not_run"]


def test_a_death_becomes_a_sentence(models: dict[str, bytes]) -> None:
    """Half a model kills or fails the process of its own, not this one."""
    with pytest.raises(EdgecrnnError, match="gpu: expected a compiled model, but it "):
        backend.describe(b"", models["float32"][:2000], backend.Settings())
