"""Imports go one way, and the contracts that say so bite."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# What an install without the `train` extra lacks, and the workstation's own packages.
WORKSTATION = ("tensorflow", "keras", "jinja2", "ai_edge_quantizer", "edgecrnn.train")


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        capture_output=True,
        text=True,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "src"), "COLUMNS": "100"},
    )


@pytest.fixture
def checkout(copy_checkout: Callable[[Path], None], tmp_path: Path) -> Path:
    """A copy whose imports can be spoiled."""
    copy_checkout(tmp_path)
    return tmp_path


def test_the_contracts_are_kept(checkout: Path) -> None:
    done = lint(checkout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("place", "line", "contract"),
    [
        ("runtime/spoiled.py", "import edgecrnn.train.data.layout", "Imports go one way"),
        ("runtime/spoiled.py", "from edgecrnn.devices import profile", "Imports go one way"),
        ("devices/spoiled.py", "import edgecrnn.train", "Imports go one way"),
        ("train/spoiled.py", "import edgecrnn.convert.recipe", "Imports go one way"),
        ("runtime/spoiled.py", "import tensorflow", "The runtime needs no workstation"),
        ("train/data/spoiled.py", "import edgecrnn.train.fit", "work with the base install"),
    ],
)
def test_an_import_the_wrong_way_breaks_them(
    checkout: Path, place: str, line: str, contract: str
) -> None:
    (checkout / place).write_text(f"{line}\n", encoding="utf-8")
    done = lint(checkout)
    assert done.returncode == 1, done.stdout + done.stderr
    (broken,) = [text for text in done.stdout.splitlines() if "BROKEN" in text]
    assert contract in broken


def test_the_runtime_and_devices_load_nothing_of_the_workstation(root: Path) -> None:
    code = (
        "import importlib, pkgutil, sys\n"
        "for package in map(importlib.import_module, ('edgecrnn.runtime', 'edgecrnn.devices')):\n"
        "    for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        # Only a fleet's run imports its engine, which brings packages of its own.
        "        if found.name != 'edgecrnn.devices.fleet_engine':\n"
        "            importlib.import_module(found.name)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
    )
    loaded = set(done.stdout.split())
    assert "edgecrnn.runtime.engine" in loaded, done.stderr
    assert loaded.isdisjoint(WORKSTATION)
