"""Wheels for a board, fetched by the workstation: what an environment there is made of, offline."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import subprocess
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import new_folder, sha256, write_file
from edgecrnn.runtime.own_module import module_words
from edgecrnn.runtime.settings import check, setting

_MARKER = re.compile(r"""python_version\s*<\s*['"]3\.(\d+)['"]""")
# The oldest glibc that any wheel of aarch64 or x86-64 names (PEP 599: manylinux2014 is glibc 2.17).
_OLDEST_GLIBC = 17
# Zip's own beginning of time: the same files are the same wheel, whenever they are packed.
_EPOCH = (1980, 1, 1, 0, 0, 0)
# tflite-runtime 2.14 was built for NumPy 1 and does not say so; OpenCV 4.12 and later need NumPy 2.
_OLDER = ("numpy>=1.26,<2", "opencv-python-headless>=4.8,<4.12")
_RUNTIME = "ai-edge-litert"
_PATIENCE = 600.0  # s


@dataclass(frozen=True)
class Target:
    """What a board's wheels must be built for; `probe` tells it."""

    architecture: str = setting("x86_64", "as wheels call it")
    python: str = setting("3.11", "version of python3, major and minor")
    glibc: str = setting("2.36", "version of the C library")

    def __post_init__(self) -> None:
        check(self)
        for name in ("python", "glibc"):
            if not re.fullmatch(r"[23]\.\d{1,2}", getattr(self, name)):
                raise EdgecrnnError(
                    f"{name}: expected a version such as 3.11, got {getattr(self, name)!r}"
                )

    def platforms(self) -> list[str]:
        """Tags of wheels that run there, the newest first (PEP 600)."""
        newest = int(self.glibc.partition(".")[2])
        tags = [
            f"manylinux_2_{minor}_{self.architecture}"
            for minor in range(newest, _OLDEST_GLIBC - 1, -1)
        ]
        return [*tags, f"manylinux2014_{self.architecture}"]


def requirements(runtime: str, version: str, target: Target, extras: Sequence[str]) -> list[str]:
    """What edgecrnn's base install and `extras` need on the board, with its interpreter.

    pip would judge conditions by the workstation's own Python, so they are judged here.

    Args:
        runtime: the package that carries the interpreter.
        version: its least version.
        target: the board.
        extras: of edgecrnn.

    Raises:
        EdgecrnnError: the installed edgecrnn does not know one of the extras.
    """
    known = metadata.metadata("edgecrnn").get_all("Provides-Extra") or []
    for extra in extras:
        if extra not in known:
            raise EdgecrnnError(
                f"extras: expected some of {', '.join(known)}, got {extra!r}; where edgecrnn was "
                "installed from a checkout that has changed since, install it again"
            )
    found = []
    for line in metadata.requires("edgecrnn") or []:
        plain, _, condition = (part.strip() for part in line.partition(";"))
        if _wanted(condition, target, extras):
            found.append(plain)
    if runtime == _RUNTIME:
        return found
    replaced = (_RUNTIME, "numpy", "opencv-python-headless")
    kept = [line for line in found if not line.startswith(replaced)]
    return [*kept, f"{runtime}>={version}", *_OLDER]


def fetch(wanted: Iterable[str], target: Target, cache: Path) -> dict[str, Path]:
    """Wheels for the board by their file names, edgecrnn's own among them.

    What was fetched once for the same requirements, board and version of edgecrnn is not fetched
    again, so that a board's environment stays the same until edgecrnn is a newer one.

    Raises:
        EdgecrnnError: the package index has no wheel for that board, or cannot be reached.
    """
    own_name, own = own_wheel()
    lines = sorted(wanted)
    key = sha256("\n".join([*lines, *target.platforms(), target.python, own_name]).encode())
    folder = cache / key[:16]
    if not folder.is_dir():
        with new_folder(folder) as beside:
            if lines:
                _download(lines, target, beside)
    own_file = cache / sha256(own)[:16] / own_name
    if not own_file.is_file():
        write_file(own_file, own)
    return {path.name: path for path in sorted([*folder.iterdir(), own_file], key=_name)}


def _name(path: Path) -> str:
    return path.name


def environment_id(wheels: Mapping[str, Path], target: Target) -> str:
    """What an environment of exactly these wheels is called on the board."""
    lines = [f"python {target.python}", target.architecture]
    lines += [f"{name} {sha256(path.read_bytes())}" for name, path in sorted(wheels.items())]
    return sha256("\n".join(lines).encode())[:16]


def own_wheel() -> tuple[str, bytes]:
    """The name and the bytes of a wheel of the edgecrnn that runs, from a checkout or installed.

    The same files make the same bytes (unlike `pip wheel`, which packs the time too), so that an
    environment on a board is made anew only where something changed.
    """
    known = metadata.distribution("edgecrnn")
    info = f"edgecrnn-{known.version}.dist-info"
    files = {f"edgecrnn/{name}": data for name, data in _tree(resources.files("edgecrnn"))}
    for name in ("METADATA", "entry_points.txt"):
        # An install from a wheel calls it METADATA, an old editable one PKG-INFO.
        text = known.read_text(name) or (known.read_text("PKG-INFO") if name == "METADATA" else "")
        files[f"{info}/{name}"] = (text or "").encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: edgecrnn\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(files.items())]
    files[f"{info}/RECORD"] = ("\n".join([*record, f"{info}/RECORD,,"]) + "\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return f"edgecrnn-{known.version}-py3-none-any.whl", packed.getvalue()


def _wanted(condition: str, target: Target, extras: Sequence[str]) -> bool:
    """Whether a requirement's condition holds on the board."""
    if not condition:
        return True
    for extra in re.findall(r"""extra\s*==\s*['"]([^'"]+)['"]""", condition):
        if extra not in extras:
            return False
    older = _MARKER.search(condition)
    return older is None or int(target.python.partition(".")[2]) < int(older[1])


def _download(lines: Sequence[str], target: Target, folder: Path) -> None:
    command = module_words("pip", "download", "--quiet", "--no-input")
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder)]
    command += ["--implementation", "cp", "--python-version", target.python]
    for tag in target.platforms():
        command += ["--platform", tag]
    try:
        done = subprocess.run(
            [*command, *lines], capture_output=True, text=True, timeout=_PATIENCE, env=_english()
        )
    except subprocess.TimeoutExpired as error:
        raise EdgecrnnError(
            f"pip download: expected wheels within {_PATIENCE:g} s, got none; "
            "see that the package index can be reached"
        ) from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        got = said[-1].removeprefix("ERROR: ") if said else done.stderr.strip()[-200:]
        raise EdgecrnnError(
            f"wheels for {target.architecture}, Python {target.python} and glibc {target.glibc}: "
            f"expected the package index to have them, got {got!r}; see that it can be reached, "
            "and that the board's profile names a runtime that has wheels for it"
        )


def _english() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def _tree(folder: Any, above: str = "") -> Iterable[tuple[str, bytes]]:
    """Every file under a package, links followed, without what Python compiled."""
    for entry in folder.iterdir():
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _tree(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry.read_bytes()


def _digest(data: bytes) -> str:
    """As a wheel's RECORD has it (PEP 427)."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
