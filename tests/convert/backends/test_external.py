"""Delegate libraries by path."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.convert.backends import backend_settings, deploy
from edgecrnn.runtime.errors import EdgecrnnError


def real_library() -> Path:
    """A shared library of this machine: one that NumPy loads."""
    return next(Path(np.__file__).parent.rglob("_multiarray_umath*.so"))


def test_nothing_is_compiled_and_nothing_is_claimed(models: dict[str, bytes]) -> None:
    values = {"library": "libteflon.so", "options": {"device": "0"}}
    found = deploy("external", values, models)
    assert found.refused == "" and found.model == models["int8"]
    placement = found.placement
    assert placement is not None and placement.status == "unproven"
    assert (placement.taken, placement.left, placement.partitions) == ({}, {}, None)
    assert placement.facts == values


def test_a_float_model_is_refused_unless_the_settings_allow_it(models: dict[str, bytes]) -> None:
    floats = {"float16": models["float16"]}
    refused = deploy("external", {"library": "libteflon.so"}, floats)
    assert refused.refused.startswith("libteflon.so takes all-integer int8 only")
    allowed = deploy("external", {"library": "libarmnnDelegate.so", "int8_only": False}, floats)
    assert allowed.refused == "" and allowed.recipe == "float16"


def test_a_copy_for_another_machine_is_refused(models: dict[str, bytes], tmp_path: Path) -> None:
    other = "aarch64" if platform.machine() != "aarch64" else "x86_64"
    values = {"library": "x.so", "copy": str(real_library()), "architecture": other}
    assert (
        f"expected a library for {other}, got one for" in deploy("external", values, models).refused
    )
    fits = {**values, "architecture": platform.machine()}
    assert deploy("external", fits, models).refused == ""
    gone = {**values, "copy": str(tmp_path / "none.so")}
    assert "got No such file" in deploy("external", gone, models).refused


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "expected the keys library too"),
        ({"library": ""}, "library: expected a file such as libteflon.so"),
        (
            {"library": "x.so", "options": {"a": 1}},
            "options: expected a table of str, got {'a': 1}",
        ),
        ({"library": "x.so", "copy": "/x.so"}, "architecture: expected the board's"),
        ({"library": "x.so", "architecture": "arm"}, "architecture: expected one of"),
        ({"libary": "x.so"}, "got 'libary' (did you mean 'library'?)"),
    ],
)
def test_settings_that_cannot_be(values: dict[str, object], said: str) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        backend_settings("external", values)
    assert said in str(caught.value)
