"""Models that make pictures of noise and read them: who is asked what, and what is written."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from tests.runtime.negative import write_negative

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.generating import Generated
from edgecrnn.runtime.made_folder import MadeFolder
from edgecrnn.runtime.making import Teller, asked_labels
from edgecrnn.runtime.manifest import Manifest
from edgecrnn.runtime.seeds import seed_frame

SHAPE = (16, 16, 3)
FRAME = np.full((32, 32, 3), 60, np.uint8)


class Made200:
    """Makes gray pictures of level 200, and calls everything brighter than 150 a cat."""

    def __init__(self, output: str):
        self.seen: list[np.ndarray] = []
        self._output = output

    def step(self, frame: np.ndarray, state: Any) -> tuple[np.ndarray, dict[str, Any]]:
        self.seen.append(frame)
        return frame.astype(np.float32), {}

    def parts(self, answer: np.ndarray) -> dict[str, np.ndarray]:
        cat = float(answer.mean() > 150)
        read = np.zeros((*SHAPE[:2], 2), np.float32)
        read[4:12, 4:12, 1] = cat
        read[..., 0] = 1.0 - read[..., 1]
        grid = np.zeros((2, 2, 7), np.float32)
        # Half of it lies outside of the picture.
        grid[0, 0] = cat, 0.0, 0.5, 0.5, 0.25, 0.0, 1.0
        says = {"vector": np.array([1.0 - cat, cat], np.float32), "map": read, "grid": grid}
        return {
            "picture": np.full(SHAPE, 200.0, np.float32),
            self._output: says[self._output],
        }


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return open_bundle(write_negative(tmp_path / "a.edgecrnn")).manifest


def maker(manifest: Manifest, reads: str, output: str) -> tuple[Teller, Made200, Manifest]:
    pair = dataclasses.replace(
        manifest, task="generate+other", answer=f"picture|{reads}", labels=("dog", "cat")
    )
    engine = Made200(output)
    return Teller(cast(Engine, engine), pair), engine, pair


def test_a_picture_is_read_and_noise_is_answered_with_one_that_is_read(manifest: Manifest) -> None:
    teller, engine, pair = maker(manifest, "label", "vector")
    assert asked_labels(pair) == ("dog", "cat")
    told = teller(np.full(SHAPE, 30, np.uint8))
    assert (told.label, told.scores, told.beside) == ("dog", (1.0, 0.0), False)
    assert len(engine.seen) == 1
    told = teller(seed_frame(SHAPE, 1, np.random.default_rng(0)))
    assert told.label == "cat; cat" and told.beside and len(engine.seen) == 3
    assert (engine.seen[-1] == 200).all()
    assert (told.view(FRAME) == 200).all()


def test_a_black_or_gray_frame_is_no_noise(manifest: Manifest) -> None:
    teller, engine, _ = maker(manifest, "regions", "map")
    for level in (0, 128, 255):
        assert teller(np.full(SHAPE, level, np.uint8)).label in ("dog", "cat")
    assert len(engine.seen) == 3


def folder_of(path: Path, manifest: Manifest, reads: str, output: str) -> MadeFolder:
    teller, _, pair = maker(manifest, reads, output)
    path.mkdir()
    folder = MadeFolder(path, pair)
    for number, label in enumerate(asked_labels(pair) or ("",) * 8):
        picture = teller.made(seed_frame(SHAPE, -1, np.random.default_rng(0)))
        picture[0, 0] = number
        folder.add(Generated(label, picture, teller.read(picture)))
    folder.close()
    return folder


def test_masks_lie_where_train_looks_for_them(manifest: Manifest, tmp_path: Path) -> None:
    from edgecrnn.train.pictures.found import find_pictures

    folder = folder_of(tmp_path / "made", manifest, "regions", "map")
    assert folder.said == "8 pictures, masks beside them"
    item, *others = find_pictures(tmp_path / "made", "masks", 0).items
    assert len(others) == 7
    mask = cv2.imread(str(item.mask), cv2.IMREAD_UNCHANGED)
    assert mask is not None and mask.shape == (16, 16) and mask.sum() == 64 and mask[4, 4] == 1


def test_boxes_stay_inside_their_pictures(manifest: Manifest, tmp_path: Path) -> None:
    from edgecrnn.train.pictures.found import find_pictures

    folder_of(tmp_path / "made", manifest, "boxes", "grid")
    item = find_pictures(tmp_path / "made", "boxes", 0).items[0]
    assert item.boxes is not None and item.boxes.tolist() == [[0, 2, 4, 4, 0]]


def test_what_was_asked_stands_beside_what_is_read(manifest: Manifest, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "made", manifest, "label", "vector")
    assert folder.said == "2 pictures of 2 classes, 1 read as asked (readings.csv)"
    with (tmp_path / "made/readings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["asked"], row["read"]) for row in rows] == [
        ("dog/0000.png", "dog", "cat"), ("cat/0000.png", "cat", "cat"),
    ]  # fmt: skip


def test_a_label_that_leads_out_of_the_folder(manifest: Manifest, tmp_path: Path) -> None:
    folder = MadeFolder(tmp_path, manifest)
    with pytest.raises(EdgecrnnError, match="expected labels that folders can be named by"):
        folder.add(Generated("../x", np.zeros(SHAPE, np.uint8), None))
