"""Delegate libraries by path, and the machine that a library was built for."""

from __future__ import annotations

import platform
import struct
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.convert.backends import backend_settings, deploy
from edgecrnn.convert.backends._elf import check_library, library_architecture
from edgecrnn.runtime.errors import EdgecrnnError


def made_up(path: Path, machine: int, kind: int = 3, order: str = "<") -> Path:
    """The first bytes of a library for another machine (System V ABI, ELF header)."""
    ident = b"\x7fELF" + bytes([2, 1 if order == "<" else 2, 1]) + bytes(9)
    path.write_bytes(ident + struct.pack(f"{order}HHI", kind, machine, 1) + bytes(40))
    return path


def real_library() -> Path:
    """A shared library of this machine: one that NumPy loads."""
    return next(Path(np.__file__).parent.rglob("_multiarray_umath*.so"))


def test_a_real_library_is_for_this_machine() -> None:
    assert library_architecture(real_library()) == platform.machine()
    assert check_library(real_library(), platform.machine()) == ""


def test_a_real_library_is_not_for_another_machine() -> None:
    said = check_library(real_library(), "riscv64")
    assert f"expected a library for riscv64, got one for {platform.machine()}" in said


@pytest.mark.parametrize(
    ("machine", "order", "name"),
    [
        (183, "<", "aarch64"),
        (40, "<", "armv7l"),
        (62, "<", "x86_64"),
        (8, ">", "mips"),
        (258, "<", "ELF machine 258"),
    ],
)
def test_headers_of_other_machines(tmp_path: Path, machine: int, order: str, name: str) -> None:
    path = made_up(tmp_path / "lib.so", machine, order=order)
    assert library_architecture(path) == name


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\necho this is a script\n"])
def test_what_is_no_library(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "libteflon.so"
    path.write_bytes(content)
    with pytest.raises(EdgecrnnError, match=r"expected a shared library \(ELF\), got another kind"):
        library_architecture(path)


def test_a_program_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="expected a shared library, got ELF type 2"):
        library_architecture(made_up(tmp_path / "program", 62, kind=2))


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="expected a delegate library, got No such file"):
        library_architecture(tmp_path / "libvx_delegate.so")


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
