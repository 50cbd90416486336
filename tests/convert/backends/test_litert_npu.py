"""LiteRT's NPU plugins: the rules, and real plugins without the vendor's libraries."""

from __future__ import annotations

import importlib.util

import pytest

from edgecrnn.convert.backends import deploy
from edgecrnn.convert.backends import litert_npu as backend

QUALCOMM = {"vendor": "qualcomm", "soc": "SM8650"}


@pytest.mark.parametrize("vendor", sorted(backend.VENDORS))
def test_without_the_vendors_package_a_sentence_names_it(
    models: dict[str, bytes], vendor: str
) -> None:
    module, package = backend.VENDORS[vendor]
    if importlib.util.find_spec(module) is not None:
        pytest.skip(f"{module} is installed")
    soc = next(soc for soc in backend._target(vendor).SocModel if soc.value != "ALL")
    found = deploy("litert-npu", {"vendor": vendor, "soc": soc.value}, models)
    assert found.model is None and found.placement is None
    assert found.refused == (
        f"litert-npu: expected the compiler of {vendor} to be installed, got none; "
        f"pip install {package}"
    )


def test_a_float_model_is_refused(models: dict[str, bytes]) -> None:
    found = deploy("litert-npu", QUALCOMM, {"int8": models["float32"]})
    assert found.refused.startswith("the NPU of qualcomm takes all-integer int8 only")


def test_a_chip_that_litert_does_not_know(models: dict[str, bytes]) -> None:
    found = deploy("litert-npu", {**QUALCOMM, "soc": "SM1"}, models)
    assert "soc: expected one of SA8255," in found.refused and "got 'SM1'" in found.refused


def test_what_the_plugin_says_is_shown(
    models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteRT's real compiler and Qualcomm's real plugin, which lacks Qualcomm's libraries."""
    if importlib.util.find_spec("ai_edge_litert_sdk_qualcomm") is not None:
        pytest.skip("Qualcomm's libraries are installed")
    monkeypatch.setitem(backend.VENDORS, "qualcomm", ("ai_edge_litert", ""))
    found = deploy("litert-npu", QUALCOMM, models)
    assert found.model is None
    assert "expected a model for qualcomm SM8650, but its plugin said: " in found.refused
    assert "libQnn" in found.refused and "cannot open shared object file" in found.refused
