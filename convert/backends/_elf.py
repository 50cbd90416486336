"""For which machine a shared library was built.

The dynamic loader says "No such file" of a library for another architecture, as of one that is not
there. The first bytes of the file tell the two apart (System V ABI, "ELF header").
"""

from __future__ import annotations

import struct
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError

# e_machine, as `uname -m` says it.
_MACHINES = {3: "i686", 8: "mips", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_HEADER = 20
_SHARED = 3


def library_architecture(path: Path) -> str:
    """What `uname -m` says on a machine that can load the library.

    Raises:
        EdgecrnnError: it cannot be read, or is no shared library.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
    except OSError as error:
        raise EdgecrnnError(
            f"{path}: expected a delegate library, got {error.strerror}; install it, or name "
            "another in [delegate.external]"
        ) from error
    if len(head) < _HEADER or head[:4] != b"\x7fELF":
        raise EdgecrnnError(f"{path}: expected a shared library (ELF), got another kind of file")
    order = "<" if head[5] == 1 else ">"
    kind, machine = struct.unpack_from(f"{order}HH", head, 16)
    if kind != _SHARED:
        raise EdgecrnnError(f"{path}: expected a shared library, got ELF type {kind}")
    return _MACHINES.get(machine, f"ELF machine {machine}")


def check_library(path: Path, architecture: str) -> str:
    """A sentence where the library is for another architecture than the board's, or ''."""
    built = library_architecture(path)
    if built == architecture:
        return ""
    return (
        f"{path}: expected a library for {architecture}, got one for {built}; install the board's "
        "(the loader would say only that there is no such file)"
    )
