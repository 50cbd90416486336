"""The loader on real photographs and clips, where EDGECRNN_DATA names the unpacked sets."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.layout import read_layout
from edgecrnn.train.data.store import DataSettings, load

ROOT = os.environ.get("EDGECRNN_DATA", "")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not ROOT, reason="EDGECRNN_DATA does not name the unpacked real sets"),
]


def real(name: str) -> Path:
    path = Path(ROOT) / name
    if not path.is_dir():
        pytest.skip(f"{path} is not there")
    return path


def test_identical_photographs_of_two_classes_are_reported(tmp_path: Path) -> None:
    data = load(real("trashnet6"), Preprocessing(32, 32), DataSettings(cache=str(tmp_path)))
    assert {k: len(v) for k, v in data.splits.items()} == {"train": 1035, "val": 240, "test": 256}
    assert not data.skipped and not data.made_split
    assert len(data.notes) == 1 and data.notes[0].startswith("2 times the same file stands under")
    assert "glass389.jpg" in data.notes[0] and "metal91.jpg" in data.notes[0]


def test_windows_and_their_reverse(tmp_path: Path) -> None:
    data = load(real("wagon_direction"), Preprocessing(32, 32), DataSettings(cache=str(tmp_path)))
    assert data.frame_rate == 6.25
    assert all(set(np.diff(s.starts)) == {20} for s in data.splits.values())
    assert {k: len(v) for k, v in data.splits.items()} == {"train": 207, "val": 43, "test": 85}


def test_a_new_split_keeps_recordings_whole(tmp_path: Path) -> None:
    for label in ("toward", "away", "standing", "empty"):
        (tmp_path / label).symlink_to(real("wagon_direction") / "train" / label)
    layout = read_layout(tmp_path)
    sides: dict[str, set[str]] = {}
    for item in layout.items:
        sides.setdefault(item.path.stem.split("_w")[0], set()).add(item.split)
    assert all(len(splits) == 1 for splits in sides.values())
    shares = [sum(i.split == s for i in layout.items) / 207 for s in ("train", "val", "test")]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.05)
    assert len({(i.label, i.split) for i in layout.items}) == 12


def test_several_labels_a_picture_are_read_from_their_table() -> None:
    layout = read_layout(real("railcar_multilabel"))
    assert layout.task == "multilabel"
    assert set(layout.labels) == {"indoor", "wagon", "bridge_down"}
    splits = Counter(item.split for item in layout.items)
    assert splits == {"train": 223, "val": 40, "test": 88}


def test_loose_videos_are_no_classes() -> None:
    with pytest.raises(EdgecrnnError, match="put each class in its own folder"):
        read_layout(real("live"))
