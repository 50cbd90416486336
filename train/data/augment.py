"""Changes of a clip that leave its class as it is, drawn once a clip; noise is drawn each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Image
from edgecrnn.runtime.settings import check, nearest, setting

_Ints = npt.NDArray[np.int64]

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
    tint: float = setting(
        0.0, "largest change of each color on its own", unit="share of it", least=0, most=0.9
    )
    gamma: float = setting(
        0.0,
        "largest change of the midtones, as another light makes it",
        unit="octaves",
        least=0,
        most=2,
    )
    blur: float = setting(
        0.0,
        "largest blur, as a lens out of focus makes it",
        unit="pixels (sigma)",
        least=0,
        most=16,
    )
    noise: float = setting(
        3.0, "noise added to each frame, standard deviation", unit="levels of 255", least=0, most=64
    )
    flip: str = setting(
        "none",
        "mirror half of the clips; wrong where left and right are different classes",
        choices=("none", "horizontal"),
    )
    swaps: tuple[str, ...] = setting(
        (), "classes that a mirrored clip changes into each other, as LEFT=RIGHT"
    )
    turn: float = setting(
        0.0, "largest turn of the picture, either way", unit="degrees", least=0, most=180
    )

    def __post_init__(self) -> None:
        check(self)
        if self.swaps and self.flip == "none":
            raise EdgecrnnError(
                "swaps: expected --flip horizontal beside it, got no flip; nothing is mirrored"
            )

    def mirrored(self, labels: Sequence[str]) -> _Ints:
        """The class that each class is in a mirror: int64 [classes].

        Raises:
            EdgecrnnError: a pair names a class that is not there, or one that stands in another.
        """
        classes = np.arange(len(labels))
        for pair in self.swaps:
            names = pair.split("=")
            if len(names) != 2 or names[0] == names[1]:
                raise EdgecrnnError(f"swaps: expected LEFT=RIGHT, two classes, got {pair!r}")
            for name in names:
                if name not in labels:
                    raise EdgecrnnError(
                        f"swaps: expected classes of the data ({', '.join(labels)}), got {name!r}"
                        f"{nearest(name, labels)}"
                    )
            one, other = (labels.index(name) for name in names)
            if (classes[[one, other]] != [one, other]).any():
                raise EdgecrnnError(f"swaps: expected each class in one pair, got two in {pair!r}")
            classes[[one, other]] = other, one
        return classes


@dataclass(frozen=True)
class Draws:
    """What was drawn for each of n clips; the arrays have n rows."""

    boxes: _Ints  # [n, 4]: top, bottom, left, right of the part that is kept
    mirror: npt.NDArray[np.bool_]  # [n]
    tables: Image  # [n, 256, channels], the new level for each old one
    sigmas: npt.NDArray[np.float64]  # [n], pixels of blur
    angles: npt.NDArray[np.float64]  # [n], degrees, against the clock
    settings: Augmentation


def draw(
    settings: Augmentation, count: int, shape: tuple[int, int, int], rng: np.random.Generator
) -> Draws:
    """Draw the changes for `count` clips of frames of `shape` (height, width, channels)."""
    height, width, channels = shape
    share = 1 - rng.uniform(0, settings.crop, count)
    boxes = np.empty((count, 4), np.int64)
    for side, length in enumerate((height, width)):
        kept = np.maximum(1, np.rint(share * length)).astype(np.int64)
        first = rng.integers(0, length - kept, endpoint=True)
        boxes[:, 2 * side], boxes[:, 2 * side + 1] = first, first + kept
    mirror = (rng.random(count) < 0.5) & (settings.flip == "horizontal")
    sigmas = rng.uniform(0, settings.blur, count)
    tables = _tables(settings, count, channels, rng)
    angles = rng.uniform(-settings.turn, settings.turn, count) if settings.turn else np.zeros(count)
    return Draws(boxes, mirror, tables, sigmas, angles, settings)


def _tables(settings: Augmentation, count: int, channels: int, rng: np.random.Generator) -> Image:
    """uint8 [count, 256, channels]: midtones, then contrast, brightness and each color's gain."""

    def between(most: float, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        return rng.uniform(-most, most, shape)

    levels = 255 * (np.arange(256) / 255)[:, None] ** 2 ** between(settings.gamma, (count, 1, 1))
    levels = (levels - 127.5) * (1 + between(settings.contrast, (count, 1, 1))) + 127.5
    levels = levels + 255 * between(settings.brightness, (count, 1, 1))
    levels = levels * (1 + between(settings.tint, (count, 1, channels)))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def apply(frames: Image, clip: int, draws: Draws, out: Image) -> None:
    """Write `frames` [k, H, W, C] of clip number `clip` of the draw, changed, into `out`."""
    count, height, width, channels = frames.shape
    settings = draws.settings
    if settings.tint > 0 and channels > 1:
        tall = frames.reshape(count * height, width, channels)
        frames = np.asarray(cv2.LUT(tall, draws.tables[clip][:, None]), np.uint8).reshape(
            frames.shape
        )
    elif max(settings.brightness, settings.contrast, settings.gamma, settings.tint) > 0:
        # One flat picture, one table: the levels change whatever the pixel.
        flat, table = frames.reshape(count * height, -1), draws.tables[clip, :, 0]
        frames = np.asarray(cv2.LUT(flat, table), np.uint8).reshape(frames.shape)
    if draws.mirror[clip]:
        frames = np.ascontiguousarray(frames[:, :, ::-1])
    top, bottom, left, right = draws.boxes[clip]
    kept = frames[:, top:bottom, left:right]
    if draws.angles[clip]:
        turned = _turned(draws.boxes[clip], float(draws.angles[clip]), (height, width))
        for frame, target in zip(frames, out, strict=True):
            # What turns in from outside is the picture's own edge, mirrored.
            cv2.warpAffine(
                frame, turned, (width, height), dst=target, borderMode=cv2.BORDER_REFLECT_101
            )
    elif kept.shape == frames.shape:
        out[...] = frames
    else:
        for frame, target in zip(kept, out, strict=True):
            cv2.resize(frame, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)
    if draws.sigmas[clip] > 0:
        for target in out:
            cv2.GaussianBlur(target, (0, 0), float(draws.sigmas[clip]), dst=target)


def _turned(box: _Ints, angle: float, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Affine map [2, 3] of a frame to what is kept of it, turned about its middle."""
    top, bottom, left, right = box
    height, width = size
    middle = ((left + right - 1) / 2, (top + bottom - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, angle, 1.0)
    turn[:, 2] += np.array([(width - 1) / 2, (height - 1) / 2]) - middle
    # Then as large as the frame.
    larger = np.diag([width / (right - left), height / (bottom - top)])
    about = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.asarray(
        np.column_stack([larger @ turn[:, :2], larger @ (turn[:, 2] - about) + about]), np.float64
    )


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

    def pass_by(self, size: int) -> None:
        """Leave out what `add` would have drawn for `size` levels, which another machine adds."""
        for _ in range(0, size, _NOISE_BANK // 2):
            self._rng.integers(_NOISE_BANK // 2)
