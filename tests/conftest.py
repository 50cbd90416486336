"""What holds for every test: no trace outside of its own folder, no luck."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from tests.full_disk import FullDisk

ROOT = Path(__file__).resolve().parent.parent

# No deadline: two busy cores are slow at times. Derandomized: a change is judged by its own merit.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("house")

# Of two tests at once each has a core: TensorFlow's threads would only wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

# A shell starts what it puts into the background deaf to Ctrl-C; programs under test would be too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded frames go to a folder of this run, never to the person's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a disk of its own cannot be mounted here (that needs root)")
    yield folder
    # Lazily: a memory map of a file there may be open still.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def full_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullDisk]:
    """A nearly full disk, and commands that write to it; needs no root."""
    try:
        disk = FullDisk(tmp_path_factory.mktemp("full") / "mounted")
    except OSError as error:
        pytest.skip(f"a disk of its own cannot be mounted here ({error})")
    yield disk
    disk.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first; skip what needs the real data sets where they are not."""
    # So that no worker is left alone with a long file at the end.
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)
    if os.environ.get("EDGECRNN_DATA"):
        return
    skip = pytest.mark.skip(reason="EDGECRNN_DATA does not name the unpacked real sets")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def older_runtime() -> Path:
    """The Python of the environment with tflite-runtime 2.14, which `make` sets up."""
    python = Path(sys.prefix) / "tflite-runtime" / "bin" / "python"
    if not python.is_file():
        pytest.skip("no environment with tflite-runtime 2.14 (its wheels end at Python 3.11)")
    return python
