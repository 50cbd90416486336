"""LiteRT's dispatch: run for real where OpenVINO is, whose CPU stands in for an Intel NPU."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from tests.runtime.colors import COLORS, color_model, golden_of_colors

from edgecrnn.runtime.delegates import Terms, delegate_named
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError

HAS_OPENVINO = importlib.util.find_spec("openvino") is not None
NPU = delegate_named("litert-npu")


@pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed: pip install openvino")
def test_the_vendors_library_takes_the_whole_model() -> None:
    terms = Terms(options={"backend": "cpu"})
    made = Engine(color_model(True, float_pixels=True), COLORS, "float32", 1, "litert-npu", terms)
    assert made.about.runs_on == "intel_openvino cpu" and not made.about.left
    golden = golden_of_colors(memory=True)
    state = made.zero_state()
    for frame, expected in zip(golden["frames"], golden["float32"], strict=True):
        scores, state = made.step(frame, state)
        np.testing.assert_allclose(scores, expected, atol=1e-3)


@pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed: pip install openvino")
def test_without_an_npu_it_raises_and_falls_back_to_nothing() -> None:
    with pytest.raises(EdgecrnnError, match="litert-npu: expected it to take the whole model, but"):
        Engine(color_model(True, float_pixels=True), COLORS, "float32", 1, "litert-npu")


@pytest.mark.skipif(HAS_OPENVINO, reason="OpenVINO is installed")
def test_without_the_vendors_package_the_mend_is_named() -> None:
    said = NPU.check(Terms())
    assert "pip install openvino" in said or "expected a vendor's dispatch library" in said
    with pytest.raises(EdgecrnnError, match="litert-npu: expected"):
        Engine(color_model(True), COLORS, "float32", 1, "litert-npu")


def test_what_it_cannot_be_given() -> None:
    assert "no option but backend=npu, cpu or gpu" in NPU.check(Terms(options={"backend": "tpu"}))
    assert "got lib.so" in NPU.check(Terms("lib.so"))
    assert "expected ai-edge-litert" in NPU.check(Terms(package="tflite-runtime"))
