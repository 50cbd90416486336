"""What lands on a machine that installs edgecrnn."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecrnn import __version__

PACKAGES = ("convert", "devices", "runtime", "train")


@pytest.fixture(scope="module")
def wheel(copy_checkout: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built from a copy so that the checkout stays as it is."""
    pytest.importorskip("setuptools", minversion="77")
    copy = tmp_path_factory.mktemp("copy") / "edgecrnn"
    copy.mkdir()
    copy_checkout(copy)
    out = copy.parent / "out"
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*build, "--disable-pip-version-check", "--wheel-dir", str(out), str(copy)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A folder as site-packages would be."""
    folder = wheel.parent.parent / "site"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_nothing_but_edgecrnn_lands_at_top_level(installed: Path) -> None:
    names = sorted(path.name for path in installed.iterdir())
    assert names == ["edgecrnn", f"edgecrnn-{__version__}.dist-info"]


def test_every_file_of_the_four_packages_is_inside(root: Path, installed: Path) -> None:
    for package in PACKAGES:
        expected = {
            path.relative_to(root)
            for path in (root / package).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        found = {
            path.relative_to(installed / "edgecrnn")
            for path in (installed / "edgecrnn" / package).rglob("*")
            if path.is_file()
        }
        assert found == expected, "declare new kinds of files under tool.setuptools.package-data"
    assert (installed / "edgecrnn" / "py.typed").is_file()


def test_the_installed_program_finds_its_data(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, edgecrnn; from pathlib import Path\n"
        "from edgecrnn.cli import main; from edgecrnn.convert.recipe import recipe_names\n"
        "from edgecrnn.train.demo.scans import __file__ as demo\n"
        "assert Path(edgecrnn.__file__).is_relative_to(sys.argv[1]), edgecrnn.__file__\n"
        "assert 'int8' in recipe_names() and Path(demo).with_name('digits.npz').is_file()\n"
        "sys.exit(main(['devices', 'list']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(installed)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )
    assert done.returncode == 0, done.stderr
    assert "raspberry-pi-5" in done.stdout
