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
from edgecrnn.train.data.framing import draw_boxes, show

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

# Pictures stand alone: what they show is near in one and far in the next.
PICTURE_CROP = 0.25
_NOISE_BANK = 1 << 20  # samples of noise drawn at once and used again from random places


@dataclass(frozen=True)
class Augmentation:
    """How far training clips are changed at random; 0 leaves that part as it is."""

    crop: float = setting(
        0.15,
        f"largest part cut off both sides together; {PICTURE_CROP} for labels of pictures where "
        "not given",
        unit="share of the size",
        least=0,
        most=0.5,
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
    zoom_out: float = setting(
        0.0,
        "by how much further than the frame is shown at most, as a camera further away does",
        unit="share of the size",
        least=0,
        most=1,
    )
    shift: float = setting(
        0.0,
        "furthest that the picture is moved, sideways and up or down",
        unit="share of the size",
        least=0,
        most=0.5,
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

    boxes: _Ints  # [n, 4]: top, bottom, left, right of what is shown
    mirror: npt.NDArray[np.bool_]  # [n]
    light: _Floats  # [n, 3], changes of gamma, contrast, brightness in the settings' units
    tints: _Floats  # [n, channels], share by which each color changes
    sigmas: _Floats  # [n], pixels of blur
    angles: _Floats  # [n], degrees, against the clock
    settings: Augmentation

    @property
    def tinted(self) -> bool:
        """Whether each color has a table of its own."""
        return self.settings.tint > 0 and self.tints.shape[1] > 1

    def tables(self, clips: _Ints) -> Image:
        """The new level for each old one: uint8 [len(clips), 256, channels, or 1 for them all].

        Midtones, then contrast, brightness and each color's gain. Made when a clip is shown: for
        all clips of a large set at once they would not fit into memory.
        """
        gamma, contrast, brightness = self.light[clips].T[:, :, None, None]
        levels = np.arange(256.0)[:, None]
        if self.settings.gamma > 0:
            levels = 255 * (levels / 255) ** 2**gamma
        levels = (levels - 127.5) * (1 + contrast) + 127.5 + 255 * brightness
        if self.settings.tint > 0:
            tints = self.tints if self.tinted else self.tints[:, :1]
            levels = levels * (1 + tints[clips, None])
        return np.clip(np.rint(levels, out=levels), 0, 255, out=levels).astype(np.uint8)


def draw(
    settings: Augmentation, count: int, shape: tuple[int, int, int], rng: np.random.Generator
) -> Draws:
    """Draw the changes for `count` clips of frames of `shape` (height, width, channels)."""
    height, width, channels = shape

    def between(most: float, *wide: int) -> _Floats:
        return rng.uniform(-most, most, (count, *wide))

    boxes = draw_boxes(
        (height, width), count, settings.crop, settings.zoom_out, settings.shift, rng
    )
    mirror = (rng.random(count) < 0.5) & (settings.flip == "horizontal")
    sigmas = rng.uniform(0, settings.blur, count)
    light = [between(most) for most in (settings.gamma, settings.contrast, settings.brightness)]
    tints = between(settings.tint, channels)
    angles = between(settings.turn) if settings.turn else np.zeros(count)
    return Draws(boxes, mirror, np.stack(light, axis=1), tints, sigmas, angles, settings)


def apply(frames: Image, clip: int, draws: Draws, out: Image, table: Image | None = None) -> None:
    """Write `frames` [k, H, W, C] of clip number `clip` of the draw, changed, into `out`.

    `table` is the clip's of `Draws.tables` where many were made together.
    """
    count, height, width, channels = frames.shape
    settings = draws.settings
    # All frames are one tall picture to what knows no place.
    tall = (count * height, width, channels)
    if max(settings.brightness, settings.contrast, settings.gamma, settings.tint) > 0:
        if table is None:
            table = draws.tables(np.array([clip]))[0]
        if draws.tinted:
            changed = cv2.LUT(frames.reshape(tall), table[:, None])
        else:
            changed = cv2.LUT(frames.reshape(count * height, -1), table[:, 0])
        frames = np.asarray(changed, np.uint8).reshape(frames.shape)
    if draws.mirror[clip]:
        frames = np.asarray(cv2.flip(frames.reshape(tall), 1), np.uint8).reshape(frames.shape)
    show(frames, draws.boxes[clip], float(draws.angles[clip]), out)
    if draws.sigmas[clip] > 0:
        for target in out:
            cv2.GaussianBlur(target, (0, 0), float(draws.sigmas[clip]), dst=target)


class Noise:
    """Adds noise to frames from a bank drawn once, read from random places on."""

    def __init__(self, sigma: float, rng: np.random.Generator) -> None:
        self._rng = rng
        drawn = rng.standard_normal((1, _NOISE_BANK), np.float32)
        # What brightens and what darkens apart: bytes are added several times as fast.
        self._up, self._down = (
            np.asarray(cv2.convertScaleAbs(part, alpha=sigma), np.uint8)
            for part in (np.maximum(drawn, 0), np.minimum(drawn, 0))
        )

    def add(self, frames: Image) -> None:
        """Add to contiguous frames in place; levels stop at 0 and 255."""
        flat = frames.reshape(1, -1)
        for first in range(0, flat.size, _NOISE_BANK // 2):
            part = flat[:, first : first + _NOISE_BANK // 2]
            place = int(self._rng.integers(_NOISE_BANK // 2))
            noise = slice(place, place + part.size)
            cv2.add(part, self._up[:, noise], dst=part)
            cv2.subtract(part, self._down[:, noise], dst=part)

    def pass_by(self, size: int) -> None:
        """Leave out what `add` would have drawn for `size` levels, which another machine adds."""
        for _ in range(0, size, _NOISE_BANK // 2):
            self._rng.integers(_NOISE_BANK // 2)
