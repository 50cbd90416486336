"""Folders of pictures as a person lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecrnn.train.demo.scenes import SceneSettings, export_scenes


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few small scenes with masks and boxes."""
    folder = tmp_path_factory.mktemp("scenes") / "data"
    export_scenes(folder, SceneSettings(train=32, val=8, test=8, size=32, most=2))
    return folder
