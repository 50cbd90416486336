"""A white page to draw on with OpenCV: text, lines, pictures, heat."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Color = tuple[int, int, int]  # BGR, as OpenCV has it

INK: Color = (45, 40, 38)
SOFT: Color = (125, 120, 118)
GRID: Color = (228, 226, 225)
SHADE: Color = (243, 241, 240)
CLASS: Color = (160, 82, 20)
OTHER: Color = (196, 190, 186)
LOSS: Color = (52, 96, 214)
GAIN: Color = (170, 160, 96)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Pixels of height that OpenCV's letters have at scale 1.
_SCALE = 1 / 28
# The strongest heat lets this much of the frame shine through.
_THROUGH = 0.3


def page(width: int, height: int) -> Pixels:
    """White, uint8 [height, width, 3]."""
    return np.full((height, width, 3), 255, np.uint8)


def write(
    canvas: Pixels,
    text: str,
    at: tuple[float, float],
    size: int = 14,
    color: Color = INK,
    align: str = "left",
    bold: bool = False,
    room: float | None = None,
) -> None:
    """Write one line.

    Args:
        canvas: where to.
        text: OpenCV 4 has no letters beyond ASCII and shows question marks instead.
        at: (x, y) of the base line's end that `align` names.
        size: height of the letters in pixels.
        color: BGR.
        align: "left", "right" or "middle".
        bold: heavier letters.
        room: pixels that there are; a longer text is cut.
    """
    thickness = 2 if bold else 1
    scale = size * _SCALE

    def measure(line: str) -> int:
        return int(cv2.getTextSize(line, _FONT, scale, thickness)[0][0])

    if room is not None and measure(text) > room:
        while text and measure(f"{text}...") > room:
            text = text[:-1]
        text = f"{text}..."
    share = {"left": 0.0, "middle": 0.5, "right": 1.0}[align]
    place = (round(at[0] - share * measure(text)), round(at[1]))
    cv2.putText(canvas, text, place, _FONT, scale, color, thickness, cv2.LINE_AA)


def box(canvas: Pixels, left: float, top: float, right: float, bottom: float, color: Color) -> None:
    """Fill a rectangle; the right and the bottom edge are not part of it."""
    rows = slice(round(min(top, bottom)), max(round(max(top, bottom)), round(min(top, bottom)) + 1))
    canvas[rows, round(left) : round(right)] = color


def rule(canvas: Pixels, left: float, y: float, right: float, color: Color = GRID) -> None:
    """Draw a horizontal hair line."""
    canvas[round(y), round(left) : round(right)] = color


def curve(canvas: Pixels, points: list[tuple[float, float]], color: Color, width: int) -> None:
    """A line through points (x, y); a single one is a dot."""
    if len(points) == 1:
        cv2.circle(canvas, _whole(points[0]), width + 1, color, -1, cv2.LINE_AA)
        return
    line = np.array([_whole(point) for point in points], np.int32)
    cv2.polylines(canvas, [line], False, color, width, cv2.LINE_AA)


def paste(canvas: Pixels, image: Pixels, left: float, top: float) -> None:
    """Put a BGR image on the canvas."""
    height, width = image.shape[:2]
    x, y = round(left), round(top)
    canvas[y : y + height, x : x + width] = image


def enlarged(frame: Pixels, width: int, height: int) -> Pixels:
    """An RGB or gray frame [h, w, 3 or 1] as BGR of another size."""
    image: npt.NDArray[Any] = frame[:, :, ::-1] if frame.shape[2] == 3 else frame.repeat(3, axis=2)
    smaller = frame.shape[1] > width
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    sized = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=way)
    return np.asarray(sized, np.uint8)


def heated(image: Pixels, heat: npt.NDArray[np.float32], most: float) -> Pixels:
    """A BGR image with heat over it: the frame where it is cold, fading to gray, colour where hot.

    Args:
        image: uint8 [height, width, 3].
        heat: float32 [h, w], 0 or more.
        most: what counts as the strongest, the same for all frames of a clip; 0 for no heat.
    """
    height, width = image.shape[:2]
    share = np.zeros((height, width), np.float32)
    if most > 0:
        grown = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
        share = np.clip(grown / most, 0.0, 1.0).astype(np.float32)
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    # Under the heat the picture loses its colours, so that no red thing is taken for heat.
    under = 0.75 * gray + 0.25 * image
    opaque = (1.0 - _THROUGH) * (share**0.8)[..., None]
    mixed = under * (1.0 - opaque) + heat_colors(share) * opaque
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def heat_colors(share: npt.NDArray[np.float32]) -> Pixels:
    """Colours of heat 0..1 [h, w], BGR: dark violet over red to yellow."""
    levels = np.round(40 + 215 * share).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), np.uint8)


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return (round(point[0]), round(point[1]))
