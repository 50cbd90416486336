"""For which machine a shared library was built, and where the loader would find it.

The dynamic loader says "No such file" of a library for another architecture, as of one that is not
there. The first bytes of the file tell the two apart (System V ABI, "ELF header").
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import struct
import subprocess
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
            "another library"
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


def find_library(name: str) -> Path:
    """The file that the loader takes for `name`: a path, or a name such as libedgetpu.so.1.

    A name is looked for as the loader does: LD_LIBRARY_PATH, the cache of ldconfig, then the
    system's own folders (ld.so(8)).

    Raises:
        EdgecrnnError: there is none.
    """
    if "/" in name:
        return Path(name)
    machine = platform.machine()
    named = [Path(part) for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part]
    system = [Path(part) for part in ("/lib", "/usr/lib", "/usr/local/lib")]
    system += [folder / f"{machine}-linux-gnu" for folder in system]
    cached = _cached(name)
    for path in (*(folder / name for folder in named), *cached, *(f / name for f in system)):
        if path.is_file():
            return path
    raise EdgecrnnError(
        f"{name}: expected a delegate library where the loader looks (ldconfig -p), got none; "
        "install it, or give its path"
    )


def _cached(name: str) -> list[Path]:
    """The paths that ldconfig's cache has for `name`; none where there is no ldconfig."""
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin:/bin:/usr/bin")
    if ldconfig is None:
        return []
    told = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    return [Path(p) for p in re.findall(rf"^\s*{re.escape(name)} \(.*\) => (.+)$", told, re.M)]
