"""Copies of the checkout, so that tests may build in them or spoil them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def copy_checkout(root: Path) -> Callable[[Path], None]:
    """Copy what is packaged, its links as links, into an empty folder."""

    def copy(into: Path) -> None:
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*_cache")
        for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
            shutil.copy(root / name, into)
        for name in ("convert", "devices", "runtime", "train", "src"):
            shutil.copytree(root / name, into / name, symlinks=True, ignore=ignore)

    return copy
