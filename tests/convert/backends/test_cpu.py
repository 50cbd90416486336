"""XNNPACK on the CPU, asked in the interpreter."""

from __future__ import annotations

from collections import Counter

import pytest

from edgecrnn.convert.backends import deploy
from edgecrnn.convert.flatbuffer import operators


@pytest.mark.parametrize("recipe", ["int8", "int8-mixed", "float16", "float32"])
def test_xnnpack_takes_the_step_as_one_piece(models: dict[str, bytes], recipe: str) -> None:
    found = deploy("cpu", {}, {recipe: models[recipe]})
    assert found.refused == "" and found.model == models[recipe]
    placement = found.placement
    assert placement is not None and placement.status == "run here"
    assert placement.partitions == 1
    assert placement.facts["delegate"] == "XNNPACK"
    # It has no int8 kernel for softmax over so few scores.
    left = {"SOFTMAX": 1} if recipe == "int8" else {}
    assert placement.left == left
    everything = Counter(name for name, _ in operators(models[recipe]))
    assert Counter(placement.taken) + Counter(placement.left) == everything


def test_more_left_than_the_profile_allows(models: dict[str, bytes]) -> None:
    found = deploy("cpu", {"left": 0}, {"int8": models["int8"]})
    assert found.model is None
    assert "at most 0 operators left by XNNPACK, got 1 (1 SOFTMAX)" in found.refused


def test_a_model_compiled_for_an_npu_is_refused(models: dict[str, bytes]) -> None:
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    compiled = deploy("ethos-u", {"accelerator": "ethos-u55-128"}, models).model
    assert compiled is not None
    found = deploy("cpu", {}, {"int8": compiled})
    assert found.refused == "the CPU has kernels for builtin operators only, not for 1 ethos-u"
