"""Real pictures and clips, written into the test's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.store import DataSettings

WritePicture = Callable[..., Path]
WriteClip = Callable[..., Path]


@pytest.fixture
def small() -> Preprocessing:
    """Frames of 16 by 16, the least that is quick."""
    return Preprocessing(height=16, width=16)


@pytest.fixture
def settings(tmp_path: Path) -> DataSettings:
    """Settings with a cache of the test's own and clips as short as 4 frames."""
    return DataSettings(cache=str(tmp_path / "cache"), shortest=4)


@pytest.fixture
def write_picture() -> WritePicture:
    """Write a noisy picture whose content follows from `seed`."""

    def write(path: Path, seed: int = 0, size: int = 40) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.random.default_rng(seed).integers(0, 255, (size, size + 8, 3), np.uint8)
        assert cv2.imwrite(str(path), image)
        return path

    return write


@pytest.fixture
def write_clip() -> WriteClip:
    """Write a clip whose frame i is a plain grey of 8 * i, a corner marked by `seed`."""

    def write(path: Path, frames: int = 8, rate: float = 10.0, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        codec = "MJPG" if path.suffix == ".avi" else "mp4v"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, (64, 48))
        assert writer.isOpened()
        noise = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)
        for i in range(frames):
            frame = np.full((48, 64, 3), min(255, 8 * i), np.uint8)
            frame[:16, :16] = noise
            writer.write(frame)
        writer.release()
        return path

    return write


@pytest.fixture
def picture_set(tmp_path: Path, write_picture: WritePicture) -> Path:
    """Two classes of 20 pictures each, without a split."""
    root = tmp_path / "pictures"
    for c, name in enumerate(("cat", "dog")):
        for i in range(20):
            write_picture(root / name / f"{i}.png", seed=100 * c + i)
    return root


@pytest.fixture
def clip_set(tmp_path: Path, write_clip: WriteClip) -> Path:
    """Two classes of 6 clips each, without a split."""
    root = tmp_path / "clips"
    for c, name in enumerate(("down", "up")):
        for i in range(6):
            write_clip(root / name / f"{i}.avi", seed=100 * c + i)
    return root
