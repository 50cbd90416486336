"""The page of a checked data folder: whole, self-contained, safe with any name."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("jinja2")

from tests.train.report.test_report import parsed

from edgecrnn.train.data.check.check import check_folder
from edgecrnn.train.data.store import DataSettings
from edgecrnn.train.report.data_check import build_data_check


def scene(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 200, (9, 12, 3)).astype(np.uint8)
    return cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC)


def pictures(root: Path, labels: tuple[str, ...] = ("cat", "dog"), count: int = 4) -> Path:
    for s, split in enumerate(("train", "val", "test")):
        for c, label in enumerate(labels):
            (root / split / label).mkdir(parents=True)
            for i in range(count):
                cv2.imwrite(str(root / split / label / f"{i}.jpg"), scene(100 * s + 10 * c + i))
    return root


def images(html: str) -> list[np.ndarray]:
    """Every picture on the page."""
    found = []
    for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html):
        image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        found.append(image)
    return found


def page(root: Path, most: int = 12) -> str:
    return build_data_check(check_folder(root, DataSettings(shortest=4)), most)


def test_it_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set")
    shutil.copy(root / "train/cat/1.jpg", root / "train/dog/copy.jpg")
    (root / "val/cat/1.jpg").write_bytes(b"no picture")
    html = page(root)
    seen = parsed(html)
    assert seen.loads and all(load.startswith("data:image/jpeg;base64,") for load in seen.loads)
    assert "url(" not in html and "@import" not in html
    assert {"script", "link", "iframe"}.isdisjoint(seen.seen)
    for words in ("Found", "Class by class", "Contact sheet", "identical", "val/cat/1.jpg"):
        assert words in html
    # A pair stands side by side: two pictures of the finding, then the sheet's.
    assert len(seen.loads) == 2 + 24


def test_pictures_keep_their_shape(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set")
    cv2.imwrite(str(root / "train/cat/panorama.jpg"), np.tile(scene(900), (1, 6, 1)))
    assert {image.shape[:2] for image in images(page(root))} == {(120, 160), (120, 300)}


def test_clips_are_shown_as_a_few_frames(tmp_path: Path) -> None:
    root = tmp_path / "clips"
    for c, label in enumerate(("away", "toward")):
        (root / label).mkdir(parents=True)
        for i in range(6):
            writer = cv2.VideoWriter(
                str(root / label / f"{i}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120)
            )
            for k in range(10):
                writer.write(scene(1000 * c + 20 * i + k))
            writer.release()
    html = page(root, most=2)
    assert images(html)[-1].shape[:2] == (84, 4 * 112 + 3 * 2)
    assert "Some frames of clips" in html and "the split that training would make" in html


def test_names_are_escaped(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set", ("<script>alert(1)<", "a&b'\""))
    (root / "train/a&b'\"/<i>.jpg").write_bytes(b"bad")
    html = page(root)
    assert {"script", "i>.jpg"}.isdisjoint(parsed(html).seen)
    assert "<script" not in html and "&lt;script&gt;" in html


def test_the_sheet_is_limited_and_can_be_left_out(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set", count=9)
    assert page(root, most=5).count("<img") == 30
    html = page(root, most=0)
    assert "Contact sheet" not in html and "<img" not in html


def test_a_folder_that_training_refuses_has_a_page(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set")
    shutil.rmtree(root / "train/dog")
    html = page(root)
    parsed(html)
    assert "training refuses it" in html and '<span class="none">none</span>' in html


def test_files_that_training_passes_over_are_named_without_pictures(tmp_path: Path) -> None:
    root = pictures(tmp_path / "set")
    (root / "train/cat/phone.heic").write_bytes(b"picture")
    shutil.copy(root / "train/cat/1.jpg", root / "left.jpg")
    html = page(root, most=0)
    parsed(html)
    assert "train/cat/phone.heic" in html and "left.jpg: in no class folder" in html


def test_many_classes_stay_small(tmp_path: Path) -> None:
    labels = tuple(f"class {i}" for i in range(70))
    root = tmp_path / "set"
    for c, label in enumerate(labels):
        (root / "train" / label).mkdir(parents=True)
        for i in range(2):
            cv2.imwrite(str(root / "train" / label / f"{i}.jpg"), scene(10 * c + i))
    html = page(root)
    parsed(html)
    assert "10 more sets are left out" in html and len(html) < 3_000_000
