"""The GPU, run for real: on this machine's Vulkan, or on SwiftShader, which is software."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from tests.runtime.colors import COLORS, color_model, golden_of_colors

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.choice import EngineSettings, choose_engine
from edgecrnn.runtime.delegates import Terms, delegate_named
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError

# Where Debian's chromium-common keeps the software Vulkan that Chromium falls back to.
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")


@pytest.fixture
def vulkan(monkeypatch: pytest.MonkeyPatch) -> None:
    if "VK_ICD_FILENAMES" not in os.environ and SWIFTSHADER.is_file():
        monkeypatch.setenv("VK_ICD_FILENAMES", str(SWIFTSHADER))
    try:
        on_gpu()
    except EdgecrnnError as error:
        if "got none that WebGPU accepts" not in str(error):
            raise
        pytest.skip("no Vulkan that WebGPU accepts: apt install chromium-common brings one")


def on_gpu() -> Engine:
    return Engine(color_model(True, float_pixels=True), COLORS, "float32", 1, "gpu")


@pytest.mark.usefixtures("vulkan")
def test_it_takes_the_whole_model_and_agrees() -> None:
    made = on_gpu()
    about = made.about
    assert len(about.placement.taken) == 6 and not about.left
    assert about.runs_on.startswith("WebGPU on ") and "without a name" not in about.runs_on
    golden = golden_of_colors(memory=True)
    state = made.zero_state()
    for frame, expected in zip(golden["frames"], golden["float32"], strict=True):
        scores, state = made.step(frame, state)
        np.testing.assert_allclose(scores, expected, atol=1e-3)


@pytest.mark.usefixtures("vulkan")
def test_run_proves_it_on_the_golden_frames(make_bundle: Callable[..., Path]) -> None:
    bundle = open_bundle(make_bundle(float_pixels=True))
    chosen = choose_engine(bundle, EngineSettings(delegate="gpu"))
    assert chosen.engine.delegate == "gpu"
    assert chosen.about.golden is not None and chosen.about.golden < 1e-3


@pytest.mark.usefixtures("vulkan")
def test_golden_frames_that_it_answers_otherwise_stop_it(make_bundle: Callable[..., Path]) -> None:
    golden = golden_of_colors(memory=True)
    golden["float32"] = golden["float32"][::-1].copy()
    bundle = open_bundle(make_bundle(float_pixels=True, golden=golden))
    with pytest.raises(EdgecrnnError, match="gpu: expected the scores of the bundle's golden fra"):
        choose_engine(bundle, EngineSettings(delegate="gpu"))


@pytest.mark.usefixtures("vulkan")
def test_an_operator_that_it_has_not_is_named() -> None:
    model = schema.ModelT.InitFromPackedBuf(color_model(True, float_pixels=True), 0)
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.SOFTMAX:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.LOG_SOFTMAX
    for operator in model.subgraphs[0].operators:
        if operator.builtinOptionsType == schema.BuiltinOptions.SoftmaxOptions:
            operator.builtinOptionsType = schema.BuiltinOptions.LogSoftmaxOptions
            operator.builtinOptions = schema.LogSoftmaxOptionsT()
    made = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    with pytest.raises(EdgecrnnError, match="gpu: expected it to take every operator, but not LOG"):
        Engine(made, COLORS, "float32", 1, "gpu")


def test_a_machine_without_vulkan_says_so(
    make_bundle: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    bundle = open_bundle(make_bundle(float_pixels=True))
    with pytest.raises(EdgecrnnError, match="expected a GPU with Vulkan, got none that WebGPU acc"):
        choose_engine(bundle, EngineSettings(delegate="gpu"))


def test_what_it_cannot_be_given() -> None:
    gpu = delegate_named("gpu")
    assert "got {'speed': '9'}" in gpu.check(Terms(options={"speed": "9"}))
    assert "got lib.so" in gpu.check(Terms("lib.so"))
    assert "expected ai-edge-litert, whose part it is" in gpu.check(Terms(package="tflite-runtime"))
    assert gpu.check(Terms(options={"precision": "float16"})) == ""
