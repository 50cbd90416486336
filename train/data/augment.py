"""Changes of a clip that leave its class as it is, drawn once a clip; noise is drawn each frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.preprocess import Image
from edgecrnn.runtime.settings import check, setting

_NOISE_BANK = 1 << 20  # samples of noise drawn at once and used again from random places


@dataclass(frozen=True)
class Augmentation:
    """How far training clips are changed at random; 0 leaves that part as it is."""

    crop: float = setting(
        0.15, "largest part cut off each side together", unit="share of the size", least=0, most=0.5
    )
    brightness: float = setting(
        0.15, "largest change of brightness", unit="share of full white", least=0, most=1
    )
    contrast: float = setting(
        0.2, "largest change of contrast", unit="share of the contrast", least=0, most=0.9
    )
    noise: float = setting(
        3.0, "noise added to each frame, standard deviation", unit="levels of 255", least=0, most=64
    )
    flip: str = setting(
        "none",
        "mirror half of the clips; wrong where left and right are different classes",
        choices=("none", "horizontal"),
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Draws:
    """What was drawn for each of n clips; the arrays have n rows."""

    boxes: npt.NDArray[np.int64]  # [n, 4]: top, bottom, left, right of the part that is kept
    mirror: npt.NDArray[np.bool_]  # [n]
    tables: Image  # [n, 256], the new level for each old one
    settings: Augmentation


def draw(
    settings: Augmentation, count: int, size: tuple[int, int], rng: np.random.Generator
) -> Draws:
    """Draw the changes for `count` clips of frames of `size` (height, width)."""
    height, width = size
    share = 1 - rng.uniform(0, settings.crop, count)
    boxes = np.empty((count, 4), np.int64)
    for side, length in enumerate((height, width)):
        kept = np.maximum(1, np.rint(share * length)).astype(np.int64)
        first = rng.integers(0, length - kept, endpoint=True)
        boxes[:, 2 * side], boxes[:, 2 * side + 1] = first, first + kept
    mirror = (rng.random(count) < 0.5) & (settings.flip == "horizontal")
    gain = 1 + rng.uniform(-settings.contrast, settings.contrast, (count, 1))
    offset = 255 * rng.uniform(-settings.brightness, settings.brightness, (count, 1))
    levels = (np.arange(256) - 127.5) * gain + 127.5 + offset
    return Draws(boxes, mirror, np.clip(np.rint(levels), 0, 255).astype(np.uint8), settings)


def apply(frames: Image, clip: int, draws: Draws, out: Image) -> None:
    """Write `frames` [k, H, W, C] of clip number `clip` of the draw, changed, into `out`."""
    count, height, width, channels = frames.shape
    if draws.settings.brightness > 0 or draws.settings.contrast > 0:
        # One flat picture: the levels change whatever the pixel.
        flat = frames.reshape(count * height, width * channels)
        frames = np.asarray(cv2.LUT(flat, draws.tables[clip]), np.uint8).reshape(frames.shape)
    if draws.mirror[clip]:
        frames = np.ascontiguousarray(frames[:, :, ::-1])
    top, bottom, left, right = draws.boxes[clip]
    kept = frames[:, top:bottom, left:right]
    if kept.shape == frames.shape:
        out[...] = frames
        return
    for frame, target in zip(kept, out, strict=True):
        cv2.resize(frame, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)


class Noise:
    """Adds noise to frames from a bank drawn once, read from random places on."""

    def __init__(self, sigma: float, rng: np.random.Generator) -> None:
        self._rng = rng
        bank = rng.standard_normal(_NOISE_BANK, np.float32) * np.float32(sigma)
        self._bank = np.rint(bank).astype(np.int16)

    def add(self, frames: Image) -> None:
        """Add to contiguous frames in place; levels stop at 0 and 255."""
        flat = frames.reshape(-1)
        for first in range(0, flat.size, _NOISE_BANK // 2):
            part = flat[first : first + _NOISE_BANK // 2].reshape(1, -1)
            place = int(self._rng.integers(_NOISE_BANK // 2))
            noise = self._bank[place : place + part.size].reshape(1, -1)
            cv2.add(part, noise, dst=part, dtype=cv2.CV_8U)
