"""A tiny data set, and the commands on it as a person runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from tests import warm

TRAIN = (
    "--size", "16x16", "--units", "8", "--width", "0.25", "--batch", "4", "--epochs", "2",
    "--no-explanations",
)  # fmt: skip


def edgecrnn(*arguments: object) -> subprocess.CompletedProcess[str]:
    """One command, in a process of its own."""
    words = [str(each) for each in arguments]
    if words[0] in warm.COMMANDS:
        return warm.run(words)
    command = [sys.executable, "-m", "edgecrnn", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def write_clips(root: Path, per_class: int = 8, frames: int = 20) -> Path:
    """Two classes: what flickers, and what stands still."""
    rng = np.random.default_rng(0)
    for label in ("flickers", "still"):
        folder = root / label
        folder.mkdir(parents=True)
        for number in range(per_class):
            writer = cv2.VideoWriter(
                str(folder / f"{number}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24)
            )
            ground = rng.integers(40, 200)
            for index in range(frames):
                level = ground + (40 if label == "flickers" and index % 2 else 0)
                writer.write(np.full((24, 32, 3), level, np.uint8))
            writer.release()
    return root


def write_pictures(root: Path, per_class: int = 10) -> Path:
    """Two classes: dark and bright."""
    rng = np.random.default_rng(0)
    for label, level in (("dark", 40), ("bright", 180)):
        folder = root / label
        folder.mkdir(parents=True)
        for number in range(per_class):
            picture = rng.integers(level, level + 60, (24, 32, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), picture)
    return root
