from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.store import DataSettings, load
from edgecrnn.train.demo.export import export, make_stream
from edgecrnn.train.demo.moving_digits import LABELS, DemoSettings, make_clip
from edgecrnn.train.demo.scans import scans

FEW = DemoSettings(train=2, val=1, test=1)


def test_the_export_is_a_data_set(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    export(tmp_path / "demo", FEW, lambda *c: calls.append(c))
    assert calls == [(i, 28) for i in range(1, 29)]
    cache = DataSettings(cache=str(tmp_path / "cache"))
    data = load(tmp_path / "demo", Preprocessing(48, 48), cache)
    assert data.labels == LABELS and data.frame_rate == 10 and not data.skipped
    assert {k: len(v) for k, v in data.splits.items()} == {"train": 14, "val": 7, "test": 7}
    store = data.splits["val"]
    for i in range(len(store)):
        rng = np.random.default_rng((0, 1, int(store.labels[i]), 0))
        made = make_clip(LABELS[store.labels[i]], rng, scans()["val"], FEW)
        assert store.clip(i).shape == made.shape
        assert np.abs(store.clip(i).astype(int) - made).mean() < 6


def test_the_seed_decides(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        export(tmp_path / name, DemoSettings(train=1, val=1, test=1, seed=seed))
    first, again, other = (
        [p.read_bytes() for p in sorted((tmp_path / n).rglob("*.avi"))] for n in "abc"
    )
    assert first == again and len(first) == 21
    assert not set(first) & set(other)


def test_a_frame_carries_no_trace_of_the_one_before(tmp_path: Path) -> None:
    """Every frame must be coded by itself, or motion shows in a single one."""
    export(tmp_path / "demo", DemoSettings(train=1, val=1, test=1))
    for path in (tmp_path / "demo").rglob("*.avi"):
        data = path.read_bytes()
        assert data.count(b"\xff\xd8\xff") == 24
        assert data[112:116] == b"MJPG"


def test_a_stream_with_its_table(tmp_path: Path) -> None:
    table = make_stream(tmp_path / "stream.avi", DemoSettings(frames=12), clips=14)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table == tmp_path / "stream.csv" and len(rows) == 14
    assert sorted(row["label"] for row in rows) == sorted(LABELS * 2)
    ends = [int(row["end_frame"]) for row in rows]
    assert [int(row["start_frame"]) for row in rows] == [0, *ends[:-1]]
    capture = cv2.VideoCapture(str(tmp_path / "stream.avi"))
    count = 0
    while capture.read()[0]:
        count += 1
    assert count == ends[-1] == 168


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(EdgecrnnError):
        export(file / "demo", FEW)
    with pytest.raises(EdgecrnnError, match="could not be written"):
        make_stream(file / "x.avi", FEW)
