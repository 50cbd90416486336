"""The real compiler, `ethos-u-vela`, on a real step graph."""

from __future__ import annotations

import io
import zipfile
from collections import Counter

import pytest

from edgecrnn.convert.backends import deploy
from edgecrnn.convert.backends import ethos_u as backend
from edgecrnn.convert.backends._model import read_graph
from edgecrnn.convert.flatbuffer import operators
from edgecrnn.runtime.errors import EdgecrnnError

pytest.importorskip("ethosu", reason="ethos-u-vela is not installed: pip install .[npu-ethosu]")


U55 = {"accelerator": "ethos-u55-128"}


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
def test_the_npu_takes_every_operator(models: dict[str, bytes], accelerator: str) -> None:
    found = deploy("ethos-u", {"accelerator": accelerator}, models)
    assert found.refused == "" and found.recipe == "int8" and found.model is not None
    placement = found.placement
    assert placement is not None and placement.status == "estimated"
    assert placement.taken == Counter(name for name, _ in operators(models["int8"]))
    assert placement.left == {} and placement.partitions == 1
    facts = placement.facts
    assert facts["compiler"].startswith("ethos-u-vela 5")
    assert facts["cpu_operators"] == 0 and facts["npu_operators"] > 0
    assert facts["cycles"] > 1000
    # Its own arithmetic: the clock over the cycles, up to rounding.
    assert facts["inferences_a_second"] == pytest.approx(
        facts["clock_mhz"] * 1e6 / facts["cycles"], rel=0.01
    )
    assert facts["sram_kib"] > 0
    assert "assumed" in facts


def test_signature_and_labels_are_kept(models: dict[str, bytes]) -> None:
    compiled = deploy("ethos-u", U55, models).model
    assert compiled is not None
    before, after = read_graph(models["int8"]), read_graph(compiled)
    assert set(after.inputs) == set(before.inputs) >= {"frame", "h0", "c0"}
    assert set(after.outputs) == set(before.outputs) >= {"scores", "h0_out", "c0_out"}
    for name, tensor in before.inputs.items():
        assert (after.inputs[name].type, after.inputs[name].shape) == ("INT8", tensor.shape)
    with zipfile.ZipFile(io.BytesIO(compiled)) as archive:
        assert archive.read("labels.txt").split() == [b"a", b"b", b"c"]


def test_the_named_memory_system_is_the_one_estimated_for(models: dict[str, bytes]) -> None:
    chosen = {
        "accelerator": "ethos-u65-256",
        "system_config": "Ethos_U65_High_End",
        "memory_mode": "Dedicated_Sram_384KB",
    }
    placement = deploy("ethos-u", chosen, models).placement
    assert placement is not None
    assert placement.facts["system_config"] == "Ethos_U65_High_End"
    assert placement.facts["memory_mode"] == "Dedicated_Sram_384KB"
    assert "assumed" not in placement.facts


@pytest.mark.parametrize("recipe", ["float32", "float16", "int8-mixed"])
def test_a_float_model_is_refused_before_it_is_compiled(
    models: dict[str, bytes], recipe: str
) -> None:
    found = deploy("ethos-u", U55, {"int8": models[recipe]})
    assert found.model is None and found.placement is None
    assert found.refused.startswith("Ethos-U takes all-integer int8 only, and ")
    assert "LOGISTIC" in found.refused and found.refused.endswith("; ship the variant int8")


def test_operators_left_to_the_cpu_are_seen_though_vela_exits_with_0(
    models: dict[str, bytes],
) -> None:
    with pytest.raises(EdgecrnnError, match=r"at most 0 operators left to the CPU, got 33 of 33"):
        backend.compile(models["float32"], backend.Settings(**U55))
    with pytest.raises(EdgecrnnError, match=r"left to the CPU, got \d+ of \d+ .*DEQUANTIZE"):
        backend.compile(models["int8-mixed"], backend.Settings(**U55))


def test_operators_left_are_counted_where_they_are_allowed(strange: bytes) -> None:
    refused = deploy("ethos-u", U55, {"int8": strange})
    assert "CUMSUM" in refused.refused and "cpu_operators in [delegate.ethos-u]" in refused.refused
    found = deploy("ethos-u", {**U55, "cpu_operators": 2}, {"int8": strange})
    assert found.refused == "" and found.placement is not None
    assert found.placement.left == {"CUMSUM": 2}
    assert found.placement.partitions is not None and found.placement.partitions > 1
    assert "CUMSUM" not in found.placement.taken


def test_a_compiler_that_dies(models: dict[str, bytes]) -> None:
    # Half a file kills vela 5.2.0 by a segmentation fault.
    with pytest.raises(EdgecrnnError, match="vela: expected a compiled model, but it "):
        backend.compile(models["int8"][:3000], backend.Settings(**U55))


def test_a_compiler_that_prints_an_error(models: dict[str, bytes]) -> None:
    wrong = {**U55, "system_config": "Mine", "memory_mode": "Shared_Sram"}
    found = deploy("ethos-u", wrong, models)
    assert found.model is None
    assert "Section System_Config.Mine not found in Vela config file" in found.refused


def test_a_memory_system_of_another_npu_is_refused(models: dict[str, bytes]) -> None:
    wrong = {**U55, "system_config": "Ethos_U65_High_End", "memory_mode": "Shared_Sram"}
    with pytest.raises(EdgecrnnError, match="system_config: expected one for U55"):
        deploy("ethos-u", wrong, models)


def test_a_compiler_that_is_missing(
    models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend._vela.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = deploy("ethos-u", U55, models)
    assert found.model is None
    assert found.refused.endswith("pip install 'edgecrnn[npu-ethosu]'")
