"""Scenes of handwritten digits, with what is true of them: masks, boxes and clean pictures."""

from __future__ import annotations

import csv
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.files import new_folder, write_file
from edgecrnn.runtime.preprocess import Image
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.demo.scans import Scans, scan_labels, scans

LABELS = ("background", *(f"{digit}" for digit in range(10)))
_TRIES = 30  # to find a place for a digit


@dataclass(frozen=True)
class SceneSettings:
    """How many scenes there are and what is in them."""

    train: int = setting(600, "scenes in train", least=1)
    val: int = setting(100, "scenes in val", least=1)
    test: int = setting(150, "scenes in test", least=1)
    size: int = setting(96, "height and width", unit="pixels", least=32, most=1024)
    most: int = setting(4, "digits in a scene at most", least=1, most=12)
    seed: int = setting(0, "seed of every choice", least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Scene:
    """A picture and what is true of it.

    Attributes:
        picture: uint8 [size, size, 3], RGB.
        mask: uint8 [size, size], the place in LABELS of what each pixel shows.
        boxes: (left, top, width, height, digit) of each digit, in pixels.
    """

    picture: Image
    mask: npt.NDArray[np.uint8]
    boxes: tuple[tuple[int, int, int, int, int], ...]


def make_scene(
    rng: np.random.Generator, images: Scans, digits: npt.NDArray[np.int64], settings: SceneSettings
) -> Scene:
    """One scene.

    Args:
        rng: makes every choice.
        images: scans to draw from, uint8 [n, 8, 8] with values 0 to 16.
        digits: what each of them shows.
        settings: size, and how many digits at most.
    """
    size = settings.size
    picture = _ground(rng, size)
    mask = np.zeros((size, size), np.uint8)
    boxes = []
    for _ in range(int(rng.integers(1, settings.most + 1))):
        index = int(rng.integers(len(images)))
        cover = _free_place(rng, images[index], mask, size)
        if cover is None:
            continue
        ink = _ink(rng, picture)
        picture += cover[..., None] * (ink - picture)
        seen = cover > 0.5
        mask[seen] = digits[index] + 1
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        left, top = int(columns[0]), int(rows[0])
        wide, high = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
        boxes.append((left, top, wide, high, int(digits[index])))
    levels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return Scene(levels, mask, tuple(boxes))


def export_scenes(folder: Path, settings: SceneSettings, needs: str = "") -> None:
    """Write `<split>/pictures`, `<split>/masks` and `<split>/boxes.csv`; splits share no scan.

    Args:
        folder: is replaced.
        settings: how many, how large.
        needs: "classes" for scenes of one digit each, as `<split>/<digit>/NAME.png`.
    """
    with new_folder(folder) as beside:
        write_file(beside / "labels.txt", ("\n".join(LABELS) + "\n").encode())
        for number, split in enumerate(("train", "val", "test")):
            if needs == "classes":
                one = dataclasses.replace(settings, most=1)
                _export_classes(beside / split, split, number, one)
            else:
                _export(beside / split, split, number, settings)


def _export(folder: Path, split: str, number: int, settings: SceneSettings) -> None:
    for name in ("pictures", "masks"):
        (folder / name).mkdir(parents=True)
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("file", "left", "top", "width", "height", "label"))
    for index in range(getattr(settings, split)):
        rng = np.random.default_rng((settings.seed, number, index))
        scene = make_scene(rng, scans()[split], scan_labels()[split], settings)
        name = f"{index:05d}.png"
        picture = cv2.cvtColor(scene.picture, cv2.COLOR_RGB2BGR)
        for kind, pixels in (("pictures", picture), ("masks", scene.mask)):
            (folder / kind / name).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        rows.writerows((name, *box) for box in scene.boxes)
    (folder / "boxes.csv").write_text(table.getvalue(), encoding="utf-8")


def _export_classes(folder: Path, split: str, number: int, settings: SceneSettings) -> None:
    for index in range(getattr(settings, split)):
        rng = np.random.default_rng((settings.seed, number, index))
        scene = make_scene(rng, scans()[split], scan_labels()[split], settings)
        path = folder / f"{scene.boxes[0][4]}" / f"{index:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = cv2.cvtColor(scene.picture, cv2.COLOR_RGB2BGR)
        path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def _ground(rng: np.random.Generator, size: int) -> npt.NDArray[np.float32]:
    """Light that falls off over a blotchy surface, with a few strokes on it that are no digits."""
    across, down = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    angle = rng.uniform(0, 2 * np.pi)
    fall = np.cos(angle) * across + np.sin(angle) * down
    picture: npt.NDArray[np.float64] = (
        rng.uniform(60, 190, 3) + rng.uniform(10, 35) * fall[..., None]
    )
    for blur in (1.0, 4.0):
        blurred = cv2.GaussianBlur(rng.standard_normal((size, size)), (0, 0), blur * size / 96)
        layer = np.asarray(blurred, np.float64)
        picture += (layer / layer.std() * rng.uniform(2, 6))[..., None]
    for _ in range(int(rng.integers(0, 4))):
        ends = rng.integers(0, size, (2, 2)).tolist()
        layer = np.zeros((size, size), np.uint8)
        cv2.line(layer, ends[0], ends[1], 255, max(1, size // 64), cv2.LINE_AA)
        share = layer[..., None] / 255.0 * rng.uniform(0.3, 0.8)
        picture += share * (rng.uniform(0, 255, 3) - picture)
    return np.asarray(np.clip(picture, 0, 255), np.float32)


def _free_place(
    rng: np.random.Generator, scan: Scans, mask: npt.NDArray[np.uint8], size: int
) -> npt.NDArray[np.float32] | None:
    """How much of each pixel the digit covers, where it hides none; None without such a place."""
    for _ in range(_TRIES):
        side = rng.uniform(0.18, 0.42) * size
        turn, scale = rng.uniform(-15, 15), side / 10
        matrix = np.asarray(cv2.getRotationMatrix2D((4.5, 4.5), turn, scale), np.float64)
        place = rng.uniform(side / 2, size - side / 2, 2)
        matrix[:, 2] += place - 4.5
        patch = np.pad(scan.astype(np.float32) / 16, 1)
        cover = cv2.warpAffine(patch, matrix, (size, size), flags=cv2.INTER_CUBIC)
        cover = np.clip((cover - 0.2) * 1.8, 0, 1)
        seen = cover > 0.5
        if not seen.any():
            continue
        around = cv2.dilate(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        if not (around & (mask > 0)).any():
            return np.asarray(cover, np.float32)
    return None


def _ink(rng: np.random.Generator, picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A color that stands out from the ground."""
    ground = picture.mean(axis=(0, 1))
    brighter = ground.mean() < 125
    low, high = (ground.mean() + 60, 255) if brighter else (0, ground.mean() - 60)
    return np.asarray(rng.uniform(low, high, 3), np.float32)
