"""For which machine a shared library was built, and where the loader finds it."""

from __future__ import annotations

import platform
import struct
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.runtime.elf import check_library, find_library, library_architecture
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


def test_a_name_is_found_where_the_loader_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every Linux with glibc or musl has one of these.
    system = find_library("libc.so.6")
    assert library_architecture(system) == platform.machine()
    (tmp_path / "libc.so.6").symlink_to(real_library())
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}:/nowhere")
    assert find_library("libc.so.6") == tmp_path / "libc.so.6"


def test_a_name_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match=r"libnone\.so: expected a delegate library where"):
        find_library("libnone.so")
    # A path is left as it is: reading it tells what is wrong.
    assert find_library(f"{tmp_path}/libnone.so") == tmp_path / "libnone.so"
