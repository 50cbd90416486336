"""Scenes of digits: what is said of them is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.demo.scans import scan_labels, scans
from edgecrnn.train.demo.scenes import LABELS, SceneSettings, export_scenes, make_scene


def test_boxes_lie_tight_round_what_the_mask_shows() -> None:
    settings = SceneSettings()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        scene = make_scene(rng, scans()["test"], scan_labels()["test"], settings)
        covered = np.zeros_like(scene.mask, bool)
        for left, top, width, height, digit in scene.boxes:
            inside = scene.mask[top : top + height, left : left + width] == digit + 1
            assert inside.any(axis=0)[[0, -1]].all() and inside.any(axis=1)[[0, -1]].all()
            covered[top : top + height, left : left + width] = True
        assert not scene.mask[~covered].any()
        assert scene.mask.max() < len(LABELS)


def test_no_scan_is_in_two_splits() -> None:
    seen = {split: {scan.tobytes() for scan in images} for split, images in scans().items()}
    assert not seen["train"] & seen["test"] and not seen["train"] & seen["val"]
    assert {split: len(labels) for split, labels in scan_labels().items()} == {
        split: len(images) for split, images in scans().items()
    }


def test_the_same_seed_the_same_files(tmp_path: Path) -> None:
    settings = SceneSettings(train=3, val=2, test=2, size=48)
    for name in ("one", "two"):
        export_scenes(tmp_path / name, settings)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert len(files) == 1 + 3 + 2 * 7
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(EdgecrnnError, match="size: expected 32 to 1024 pixels, got 8"):
        SceneSettings(size=8)
