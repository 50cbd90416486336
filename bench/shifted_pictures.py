"""How a picture run does on held-out pictures taken otherwise: another light, place or distance.

    python bench/shifted_pictures.py RUN... --data DATA [--split val]

Each picture of the split is changed in one way at a time, then in several at once, six times. What
a run loses here, it loses in front of another camera: a way to choose augmentation where no
pictures of the other place are at hand. The changes are drawn by their own seed and are not those
of training (pictures grow pale, dark clothes lighter, the light falls off to one side).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.train.data.store import DataSettings, load
from edgecrnn.train.predictors import keras_predictor
from edgecrnn.train.run_folder import read_record

Picture = npt.NDArray[np.float32]  # [h, w, 3], 0..255
Change = Callable[[Picture, np.random.Generator], Picture]
TOGETHER = 6


def tinted(picture: Picture, *gains: float) -> Picture:
    return picture * np.float32(gains)


def pale(picture: Picture, rng: np.random.Generator, share: float = 0.6) -> Picture:
    return picture + np.float32(share) * (picture.mean(axis=2, keepdims=True) - picture)


def lighter_clothes(picture: Picture, rng: np.random.Generator, by: float = 40.0) -> Picture:
    """What is darker than level 100 becomes lighter, what is darker than 40 by all of `by`."""
    dark = np.clip((100 - picture.mean(axis=2, keepdims=True)) / 60, 0, 1)
    return picture + np.float32(by) * dark


def lamp(picture: Picture, rng: np.random.Generator) -> Picture:
    """A third brighter on one side, a third darker on the other; other midtones."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    ramp = 1 + 0.35 * (np.cos(angle) * x + np.sin(angle) * y)
    lit = np.clip(picture / 255 * ramp[..., None], 0, 1) ** rng.uniform(0.7, 1.3)
    return np.asarray(255 * lit, np.float32)


def placed(
    picture: Picture,
    rng: np.random.Generator,
    zoom: tuple[float, float],
    shift: float,
    turn: float = 0.0,
) -> Picture:
    """As large as `zoom` says, moved by `shift` of the size and turned at most."""
    height, width = picture.shape[:2]
    about = (width / 2, height / 2)
    map_ = cv2.getRotationMatrix2D(about, rng.uniform(-turn, turn), rng.uniform(*zoom))
    map_[:, 2] += rng.uniform(-shift, shift, 2) * (width, height)
    moved = cv2.warpAffine(picture, map_, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def together(picture: Picture, rng: np.random.Generator) -> Picture:
    seen = placed(picture, rng, (0.6, 0.85), 0.1, 8.0)
    seen = pale(seen, rng, rng.uniform(0, 0.7))
    seen = lighter_clothes(seen, rng, rng.uniform(0, 60))
    seen = np.clip(seen / 255 * np.float32(rng.uniform(0.8, 1.05, 3)), 0, 1)
    seen = 255 * seen ** np.float32(rng.uniform(0.8, 1.25))
    blur = rng.uniform(0.2, 0.9) * picture.shape[1] / 64
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), np.float32)


CHANGES: dict[str, Change] = {
    "as they are": lambda picture, rng: picture,
    "bluish": lambda picture, rng: tinted(picture, 0.85, 0.97, 1.0),
    "yellowish": lambda picture, rng: tinted(picture, 1.0, 0.97, 0.85),
    "greenish": lambda picture, rng: tinted(picture, 0.93, 1.05, 0.93),
    "pale": pale,
    "lighter clothes": lighter_clothes,
    "a lamp aside": lamp,
    "further": lambda picture, rng: placed(picture, rng, (0.75, 0.95), 0.12),
    "nearer": lambda picture, rng: placed(picture, rng, (1.1, 1.35), 0.06, 8.0),
    "together": together,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    args = parser.parse_args()
    columns = [judged(run, args.data, args.split) for run in args.runs]
    print("| | " + " | ".join(run.name for run in args.runs) + " |")
    print("|---" * (1 + len(columns)) + "|")
    for name in CHANGES:
        print(f"| {name} | " + " | ".join(f"{column[name]:.1f} %" for column in columns) + " |")


def judged(run: Path, folder: Path, split: str) -> dict[str, float]:
    """Percent right under each change."""
    record = read_record(run)
    predictor = keras_predictor(run, record)
    store = load(folder, record.preprocessing, DataSettings(), record.labels).splits[split]
    return {name: _right(predictor, store, change) for name, change in CHANGES.items()}


def _right(predictor: Any, store: Any, change: Change) -> float:
    rng = np.random.default_rng(5)
    times = TOGETHER if change is together else 1
    seen = np.stack([
        np.clip(np.rint(change(frame.astype(np.float32), rng)), 0, 255).astype(np.uint8)
        for frame in np.concatenate([store.frames] * times)
    ])  # fmt: skip
    scores, _ = predictor.scores(seen, None)
    return 100 * float((scores.argmax(axis=1) == np.tile(store.labels, times)).mean())


if __name__ == "__main__":
    main()
