"""A sound bundle with golden frames, and a place that nothing may be written beside."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.bundle.opening import packed

from edgecrnn.runtime.files import sha256


@pytest.fixture(scope="session")
def files(bundle_path: Path) -> dict[str, bytes]:
    """What is in a sound bundle, with golden frames."""
    golden = io.BytesIO()
    np.savez(golden, frames=np.zeros((2, 4, 4, 3), np.uint8))
    with zipfile.ZipFile(bundle_path) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    inside["golden.npz"] = golden.getvalue()
    manifest = json.loads(inside["manifest.json"])
    manifest["files"]["golden.npz"] = sha256(inside["golden.npz"])
    return {**inside, "manifest.json": json.dumps(manifest, indent=1).encode()}


@pytest.fixture(scope="session")
def sound(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "bundle"
    packed(path, files, zipfile.ZIP_DEFLATED)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a bundle is to be written; afterwards it is the only thing there."""
    (tmp_path / "inside").mkdir()
    yield tmp_path / "inside/bundle"
    assert [entry.name for entry in tmp_path.iterdir()] == ["inside"]
    assert [entry.name for entry in (tmp_path / "inside").iterdir()] in ([], ["bundle"])
