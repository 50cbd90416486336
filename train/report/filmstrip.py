"""A clip as a row of frames with the scores over time beneath, or a picture with its scores."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from edgecrnn.train.report import svg
from edgecrnn.train.report.content import Example
from edgecrnn.train.report.examples import FRAMES_SHOWN, spread

_WIDTH = 480.0
_LEFT, _RIGHT = 30.0, 4.0
_CHART = 78.0
_LONGEST_SIDE = 128  # pixels of a stored frame
_BARS = 4


@dataclass(frozen=True)
class Bar:
    """One class's score of a picture."""

    label: str
    share: float
    style: str


@dataclass(frozen=True)
class Card:
    """An example, ready for the page. A clip has a `strip`, a picture an `image` and `bars`."""

    name: str
    truth: str
    decided: str
    right: bool
    strip: Markup | None
    image: str
    bars: tuple[Bar, ...]


def card(example: Example, labels: Sequence[str], warmup: int, frame_rate: float | None) -> Card:
    """Draw one example.

    Args:
        example: one frame makes it a picture.
        labels: names of the classes.
        warmup: frames at the start that do not count, shaded.
        frame_rate: frames a second, for the time axis; None: frames are counted.
    """
    is_picture = len(example.scores) == 1
    return Card(
        name=example.name,
        truth=labels[example.truth],
        decided=labels[example.predicted],
        right=example.truth == example.predicted,
        strip=None if is_picture else _strip(example, labels, warmup, frame_rate),
        image=jpeg(example.frames[0]) if is_picture else "",
        bars=_bars(example, labels) if is_picture else (),
    )


def jpeg(frame: npt.NDArray[np.uint8]) -> str:
    """A data URI of an RGB or gray frame uint8 [h, w, 3 or 1], at most 128 pixels a side."""
    image: npt.NDArray[Any] = frame[:, :, ::-1] if frame.shape[2] == 3 else frame[:, :, 0]
    image = np.ascontiguousarray(image)
    scale = _LONGEST_SIDE / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def _strip(
    example: Example, labels: Sequence[str], warmup: int, frame_rate: float | None
) -> Markup:
    frames = spread(example.frames, FRAMES_SHOWN)
    scores, inner = example.scores, _WIDTH - _LEFT - _RIGHT
    each = inner / len(frames)
    # A clip of few frames must not fill the page with one of them.
    wide = min(each, 110.0)
    tall = min(120.0, wide * frames.shape[1] / frames.shape[2])
    parts = [
        svg.tag(
            "image",
            href=jpeg(frame),
            x=_LEFT + index * each + (each - wide) / 2 + 1,
            y=0,
            width=wide - 2,
            height=float(tall),
            preserveAspectRatio="xMidYMid meet",
        )
        for index, frame in enumerate(frames)
    ]
    top, bottom = tall + 10, tall + 10 + _CHART
    step = inner / len(scores)
    if warmup:
        width = min(inner, warmup * step)
        parts.append(svg.rect(_LEFT, top, width, _CHART, "warmup", "warm-up: does not count"))
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * _CHART
        parts.append(svg.line(_LEFT, y, _WIDTH - _RIGHT, y, "grid"))
        parts.append(svg.text(_LEFT - 5, y + 4, f"{share:g}", "soft", "end"))
    for label in _drawing_order(example, len(labels)):
        points = [
            (_LEFT + (t + 0.5) * step, bottom - float(score) * _CHART)
            for t, score in enumerate(scores[:, label])
        ]
        drawn = svg.polyline(points, f"score {_style(example, label)}")
        parts.append(svg.tag("g", svg.tag("title", labels[label]), drawn))
    parts.append(svg.text(_LEFT, bottom + 15, "0", "soft"))
    end = f"{len(scores) / frame_rate:.1f} s" if frame_rate else f"{len(scores)} frames"
    parts.append(svg.text(_WIDTH - _RIGHT, bottom + 15, end, "soft", "end"))
    said = f"{labels[example.truth]}, decided as {labels[example.predicted]}"
    return svg.picture(_WIDTH, bottom + 20, f"Frames and scores of a clip of {said}", parts)


def _drawing_order(example: Example, classes: int) -> list[int]:
    """The others first, so that the truth and the decision lie on top."""
    important = [example.predicted, example.truth]
    others = [label for label in range(classes) if label not in important]
    return [*others, *dict.fromkeys(important)]


def _style(example: Example, label: int) -> str:
    if label == example.truth:
        return "right"
    return "wrong" if label == example.predicted else "other"


def _bars(example: Example, labels: Sequence[str]) -> tuple[Bar, ...]:
    """The largest scores, the truth's always among them."""
    scores = example.scores[0]
    largest = np.argsort(-scores, kind="stable")[:_BARS].tolist()
    if example.truth not in largest:
        largest[-1] = example.truth
    return tuple(
        Bar(labels[label], float(scores[label]), _style(example, label)) for label in largest
    )
