"""Scenes that look like photographs: soft shapes that no other seed has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

Frame = npt.NDArray[np.uint8]
Scene = Callable[..., Frame]
Save = Callable[[Path, Frame], Path]
SaveClip = Callable[..., Path]


@pytest.fixture
def scene() -> Scene:
    """A BGR scene [120, 160, 3] that follows from `seed`, with a white square of `side` at `at`."""

    def draw(seed: int = 0, at: tuple[int, int] | None = None, side: int = 24) -> Frame:
        coarse = np.random.default_rng(seed).integers(0, 200, (9, 12, 3)).astype(np.uint8)
        frame = cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC)
        if at is not None:
            frame[at[0] : at[0] + side, at[1] : at[1] + side] = 250
        return np.asarray(frame, np.uint8)

    return draw


@pytest.fixture
def save() -> Save:
    """Write a picture; the suffix decides how."""

    def write(path: Path, frame: Frame) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), frame)
        return path

    return write


@pytest.fixture
def save_clip() -> SaveClip:
    """Write frames as a clip."""

    def write(path: Path, frames: Sequence[Frame], rate: float = 10.0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        codec = "MJPG" if path.suffix == ".avi" else "mp4v"
        size = frames[0].shape[1], frames[0].shape[0]
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, size)
        assert writer.isOpened()
        for frame in frames:
            writer.write(frame)
        writer.release()
        return path

    return write


@pytest.fixture
def good(tmp_path: Path, scene: Scene, save: Save) -> Path:
    """Two classes with 12 scenes in train and 30 in val and test, all different."""
    root = tmp_path / "good"
    seed = 0
    for split, count in (("train", 12), ("val", 15), ("test", 15)):
        for name in ("cat", "dog"):
            for i in range(count):
                seed += 1
                save(root / split / name / f"{i}.jpg", scene(seed))
    return root
