"""Clips of a handwritten digit that moves; the class is the motion.

The digit moves on a torus (what leaves on one side comes back on the other) and starts anywhere
on it, so its place in any single frame is uniform whatever the class: one frame says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Image
from edgecrnn.runtime.settings import check, nearest, setting
from edgecrnn.train.demo.scans import Scans

LABELS = ("anticlockwise", "clockwise", "down", "left", "right", "still", "up")
_DIRECTIONS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}
_LUMA = np.array([0.299, 0.587, 0.114])  # of R, G, B
_Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class DemoSettings:
    """How many clips of moving digits there are and what they look like."""

    train: int = setting(120, "clips of each class in train", least=1)
    val: int = setting(24, "clips of each class in val", least=1)
    test: int = setting(36, "clips of each class in test", least=1)
    frames: int = setting(24, "length of a clip", unit="frames", least=1)
    size: int = setting(48, "height and width of a frame", unit="pixels", least=32, most=512)
    frame_rate: float = setting(
        10.0, "rate the clips are played at", unit="frames a second", least=1, most=120
    )
    seed: int = setting(0, "seed of every choice", least=0)

    def __post_init__(self) -> None:
        check(self)


def make_clip(label: str, rng: np.random.Generator, images: Scans, settings: DemoSettings) -> Image:
    """One clip of a digit in the motion that `label` names.

    Args:
        label: one of `LABELS`.
        rng: draws the digit, its path, the colours, the light and the noise.
        images: scans to draw from, uint8 [n, 8, 8] with values 0 to 16.
        settings: length and size.

    Returns:
        uint8 [frames, size, size, 3], RGB.
    """
    count, size = settings.frames, settings.size
    path = positions(label, rng, settings)
    digit = _digit(images[rng.integers(len(images))], rng, size)
    ground, ink = _colors(rng)
    back = (ground + _texture(rng, size)[..., None]).astype(np.float32)
    light = _lighting(rng, count, size)
    sigma = np.float32(rng.uniform(3.0, 7.0))
    cover = np.stack([_placed(digit, centre) for centre in path])[..., None]
    # In place: a clip of floats is large enough that each new array costs more than the sum.
    clip = cover * (ink - back)
    clip += back
    clip *= light[..., None]
    # Grey noise: the codec keeps colour at half the resolution and would smear any other.
    clip += sigma * rng.standard_normal((count, size, size, 1), np.float32) + np.float32(0.5)
    return np.asarray(np.clip(clip, 0, 255, out=clip), np.uint8)


def positions(label: str, rng: np.random.Generator, settings: DemoSettings) -> _Array:
    """Where the digit's centre is in each frame, (x, y) in pixels modulo the size: [frames, 2].

    Speeds and radii are given for 48 pixels and grow with the size.
    """
    if label not in LABELS:
        raise EdgecrnnError(
            f"label: expected one of {', '.join(LABELS)}, got {label!r}{nearest(label, LABELS)}"
        )
    scale = settings.size / 48
    start = rng.uniform(0, settings.size, 2)
    speed = rng.uniform(1.0, 2.5) * scale
    radius = rng.uniform(6.0, 9.0) * scale
    period = rng.uniform(12.0, 18.0)
    phase = rng.uniform(0, 2 * np.pi)
    t = np.arange(settings.frames)[:, None]
    if label in _DIRECTIONS:
        path = start + speed * t * np.array(_DIRECTIONS[label])
    elif label == "still":
        path = start + 0.0 * t
    else:
        # y grows downwards, so a growing angle turns clockwise for the eye.
        turn = 1.0 if label == "clockwise" else -1.0
        angle = phase + turn * 2 * np.pi * t / period
        path = start + radius * np.hstack([np.cos(angle), np.sin(angle)])
    return np.asarray(path % settings.size, np.float32)


def _digit(scan: Scans, rng: np.random.Generator, size: int) -> _Array:
    """How much of each pixel the digit covers, [size, size], its centre in the middle."""
    side = round(rng.uniform(16, 20) * size / 48)
    small = scan.astype(np.float32) / 16
    # A rim of nothing, so that the digit fades out instead of ending at the patch's edge.
    patch = cv2.resize(np.pad(small, 1), (side + 2, side + 2), interpolation=cv2.INTER_CUBIC)
    cover = np.zeros((size, size), np.float32)
    first = (size - side - 2) // 2
    # Steeper, so that strokes are full ink and the space between them is not.
    patch = np.clip((patch - 0.15) * 1.8, 0, 1)
    cover[first : first + side + 2, first : first + side + 2] = patch
    return cover


def _placed(digit: _Array, centre: _Array) -> _Array:
    """The digit with its centre moved to (x, y), round the edges, to parts of a pixel."""
    size = digit.shape[0]
    middle = (size - 1) / 2
    # A window of two by two copies shows the digit wherever its centre is wanted.
    x, y = ((middle - float(c)) % size + middle for c in centre)
    return np.asarray(cv2.getRectSubPix(np.tile(digit, (2, 2)), (size, size), (x, y)), np.float32)


def _colors(rng: np.random.Generator) -> tuple[_Array, _Array]:
    """Background and ink as RGB; the ink is brighter by 80 to 110 of 255."""
    contrast = rng.uniform(80, 110)
    low = rng.uniform(50, 235 - 40 - contrast)
    colors = []
    for luma in (low, low + contrast):
        tint = rng.uniform(-30, 30, 3)
        colors.append((luma + tint - _LUMA @ tint).astype(np.float32))
    return colors[0], colors[1]


def _texture(rng: np.random.Generator, size: int) -> _Array:
    """A still, blotchy surface, a few grey levels up and down: [size, size]."""
    total = np.zeros((size, size), np.float32)
    for blur in (1.0, 3.0, 8.0):
        layer = rng.standard_normal((size, size)).astype(np.float32)
        layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), blur * size / 48), np.float32)
        total += layer / max(float(layer.std()), 1e-6)
    return total * np.float32(rng.uniform(2.0, 5.0))


def _lighting(rng: np.random.Generator, count: int, size: int) -> npt.NDArray[np.float32]:
    """Light that falls off across the frame and slowly turns: [count, size, size], up to 1."""
    fall = rng.uniform(0.2, 0.45)
    angle = rng.uniform(0, 2 * np.pi) + rng.uniform(-0.8, 0.8) * np.linspace(0, 1, count)
    level = 1 - rng.uniform(0, 0.1) * np.linspace(0, 1, count)
    axis = np.linspace(-1, 1, size) / np.sqrt(8)
    across = np.cos(angle)[:, None] * axis, np.sin(angle)[:, None] * axis
    steps = (across[0][:, None, :] + across[1][:, :, None] + 0.5).astype(np.float32)
    return np.asarray(level[:, None, None] * (1 - np.float32(fall) * steps), np.float32)
