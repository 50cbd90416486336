"""Backends are found, asked in order, and their failures become a sentence."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from edgecrnn.cli import main
from edgecrnn.convert.backends import (
    Placement,
    backend_names,
    backend_settings,
    check_delegates,
    deploy,
    load_backend,
)
from edgecrnn.devices.profile import load_profile, profile_names
from edgecrnn.runtime.errors import EdgecrnnError

PROFILE = """
title = "Mine"
status = "unproven"
architecture = "aarch64"
os = ["Debian 12"]
python = ["3.11"]
runtime = "ai-edge-litert"
runtime_version = "2.3.0"
delegates = ["ethos-u", "cpu"]
cameras = ["usb"]

[delegate.ethos-u]
accelerator = "ethos-u65-256"
"""
U65 = {"accelerator": "ethos-u65-256"}


def test_every_backend_keeps_the_interface() -> None:
    ours = {"cpu", "edgetpu", "ethos-u", "external", "gpu", "litert-npu"}
    assert ours <= set(backend_names()) and "model" not in backend_names()
    for name in backend_names():
        backend = load_backend(name)
        assert backend.TITLE and isinstance(backend.TITLE, str)
        assert backend.RECIPES and isinstance(backend.RECIPES, tuple)
        assert dataclasses.is_dataclass(backend.Settings)
        for field in dataclasses.fields(backend.Settings):
            assert field.metadata["help"], f"{name}: {field.name}"
        for function, parameters in (
            (backend.check, ["model", "settings"]),
            (backend.compile, ["model", "settings"]),
            (backend.describe, ["model", "compiled", "settings"]),
        ):
            assert list(inspect.signature(function).parameters) == parameters


def test_every_profile_that_comes_with_the_package_is_in_order() -> None:
    for name in profile_names():
        check_delegates(load_profile(name))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '["ethos-u", "cpu"]\n',
            '["ethos-u", "cpu", "etos-u"]\n',
            f"delegates: expected some of {', '.join(backend_names())}, got 'etos-u' "
            "(did you mean 'ethos-u'?)",
        ),
        ("accelerator", "acelerator", "got 'acelerator' (did you mean 'accelerator'?)"),
        ("u65-256", "u65-128", "[delegate.ethos-u]: accelerator: expected one of ethos-u55-32"),
        (
            "[delegate.ethos-u]",
            "[delegate.ethosu]",
            "[delegate.ethosu]: expected settings of one of ethos-u, cpu, got 'ethosu' "
            "(did you mean 'ethos-u'?)",
        ),
        (
            'accelerator = "ethos-u65-256"',
            'accelerator = "ethos-u65-256"\nsystem_config = "Ethos_U65_High_End"',
            "system_config and memory_mode: expected both or neither",
        ),
        (
            '[delegate.ethos-u]\naccelerator = "ethos-u65-256"',
            "",
            "[delegate.ethos-u]: expected the keys accelerator too; add them",
        ),
    ],
)
def test_a_delegate_or_setting_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE, encoding="utf-8")
    assert main(["devices", "check", str(path)]) == 0
    capsys.readouterr()
    assert old in PROFILE
    path.write_text(PROFILE.replace(old, new, 1), encoding="utf-8")
    assert main(["devices", "check", str(path)]) == 2
    assert said in capsys.readouterr().err


def test_convert_refuses_an_unknown_delegate_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE.replace('"cpu"', '"tpu"'), encoding="utf-8")
    # The run is not there either, and nobody has looked for it yet.
    out = ["--device", str(path), "--out", str(tmp_path / "b")]
    assert main(["convert", str(tmp_path / "no-run"), *out]) == 2
    said = capsys.readouterr().err
    assert "mine: delegates: expected some of cpu," in said and "'tpu'" in said


def test_a_setting_that_has_no_default_is_asked_for() -> None:
    with pytest.raises(EdgecrnnError, match=r"\[delegate.litert-npu\]: .* keys vendor, soc too"):
        backend_settings("litert-npu", {})


def test_the_preferred_variant_is_taken(models: dict[str, bytes]) -> None:
    assert deploy("external", {"library": "libvx_delegate.so"}, models).recipe == "int8"
    assert deploy("cpu", {}, {"float32": models["float32"]}).recipe == "float32"
    mixed_first = {"int8-mixed": models["int8-mixed"], **models}
    assert deploy("cpu", {}, mixed_first).recipe == "int8-mixed"


def test_a_delegate_whose_variants_are_not_there() -> None:
    found = deploy("ethos-u", U65, {"float32": b""})
    assert (found.recipe, found.model, found.placement) == ("", None, None)
    assert found.refused == (
        "ethos-u takes int8, and of these there is none to ship (there are: float32)"
    )


def test_a_file_that_is_no_model() -> None:
    found = deploy("cpu", {}, {"int8": b"not a model"})
    assert found.model is None and "expected a .tflite file (TFL3)" in found.refused


def test_half_a_model(models: dict[str, bytes]) -> None:
    for length in (9, 100, 3000):
        found = deploy("ethos-u", U65, {"int8": models["int8"][:length]})
        assert found.model is None and "a damaged one" in found.refused


def test_a_word_that_promises_nothing_is_no_status() -> None:
    with pytest.raises(ValueError, match="status: expected one of run here, estimated, unproven"):
        Placement({}, {}, None, "fast", {})
