"""What the project says of itself agrees with what it is."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from edgecrnn import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BASE = ("runtime", "devices")
REST = ("train", "convert", "src")
# Comes with a board's system, never from an index.
SYSTEM = {"picamera2"}


def declared(root: Path, extra: str = "") -> set[str]:
    """Distributions that an install brings, normalized; those for older Pythons left out."""
    table = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    lines = table["optional-dependencies"][extra] if extra else table["dependencies"]
    plain = [line for line in lines if "python_version" not in line]
    return {normal(re.split(r"[<>=!~;\[ ]", line)[0]) for line in plain}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(root: Path, folders: tuple[str, ...]) -> set[str]:
    """Distributions that the sources of `folders` import, at any depth."""
    modules = set()
    for folder in folders:
        for path in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Import):
                    modules |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    modules.add(node.module)
    tops = {module.partition(".")[0] for module in modules}
    tops -= {"edgecrnn", "tomli", *SYSTEM, *sys.stdlib_module_names}
    known = packages_distributions()
    return {normal(known[top][0]) for top in tops}


def test_everything_imported_is_declared_and_the_other_way_round(root: Path) -> None:
    base, train = declared(root), declared(root, "train")
    # What a person asks for by name: sinks that need a package, the live page, signatures, search.
    by_name = ("mqtt", "page", "flash", "search")
    on_board = set().union(*(declared(root, extra) for extra in by_name))
    fleet = declared(root, "fleet")
    beside = declared(root, "tensorboard") | fleet
    assert imported(root, BASE) <= base | on_board | fleet
    assert imported(root, BASE + REST) == base | train | on_board | beside


def test_constraints_pin_everything_declared_and_name_no_place(root: Path) -> None:
    lines = (root / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", line) for line in pins)
    pinned = {normal(line.partition("==")[0]) for line in pins}
    extras = ("", "train", "tensorboard", "npu-ethosu", "mqtt", "page", "flash", "fleet", "search")
    assert set().union(*(declared(root, extra) for extra in (*extras, "dev"))) <= pinned
    assert "make constraints" in "\n".join(lines)


def test_the_changelog_begins_with_this_version(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text("utf-8")
    heading = re.search(r"^## (\S+)", text, re.MULTILINE)
    assert heading is not None and heading[1] == __version__


def test_no_file_names_a_place_on_the_machine_that_made_it(root: Path) -> None:
    if shutil.which("git") is None or not (root / ".git").exists():
        pytest.skip("not a Git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, timeout=60
    )
    # In pieces, so that this file does not find itself.
    places = [b"/" + name + b"/" for name in (b"work", b"root", b"home/user", b"tmp/w")]
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = root / name
        if path.is_file():
            found = [place for place in places if place in path.read_bytes()]
            assert not found, f"{name} names {found}"
