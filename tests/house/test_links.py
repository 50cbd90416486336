"""The four packages are the folders at the root, under the names that they are imported by."""

from __future__ import annotations

from pathlib import Path

import pytest

PACKAGES = ("convert", "devices", "runtime", "train")


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_is_the_folder_at_the_root(root: Path, name: str) -> None:
    link = root / "src" / "edgecrnn" / name
    assert link.is_dir() and link.resolve() == (root / name).resolve(), (
        f"{link} is no link to {name}/; mend it with: "
        "git config core.symlinks true && git checkout -- src/edgecrnn"
    )
