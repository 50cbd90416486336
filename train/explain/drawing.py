"""Draws an explanation: a page with frames, heat and charts, and the pictures of a film."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from edgecrnn.train.explain import canvas as c
from edgecrnn.train.explain import charts
from edgecrnn.train.explain.explanation import Explained

_WIDTH = 1200
_LEFT, _RIGHT = 64, 24
_SHOWN = 8  # frames on the page
_CHART, _BARS = 150, 110  # pixels of height
_LEGEND = 180
_PICTURE = 430  # pixels of a picture's longer side
_FILM = (1280, 768)
# A clip of a second or two is over before it is seen: it is filmed slower, this long.
_SHORTEST = 4.0  # seconds


def draw_page(explained: Explained) -> c.Pixels:
    """The whole explanation as one picture, BGR uint8 [height, 1200, 3]."""
    return _draw_picture(explained) if explained.importance is None else _draw_clip(explained)


def png(explained: Explained) -> bytes:
    """`draw_page` as a PNG file."""
    return cv2.imencode(".png", draw_page(explained))[1].tobytes()


def webp(explained: Explained) -> bytes:
    """`draw_page` as a WebP file, a fifth of the PNG's size."""
    quality = [cv2.IMWRITE_WEBP_QUALITY, 82]
    return cv2.imencode(".webp", draw_page(explained), quality)[1].tobytes()


def film_rate(explained: Explained) -> float:
    """Pictures a second of the film: the clip's own, or fewer where it would be over at once."""
    return min(explained.frame_rate or 10.0, max(1.0, len(explained.frames) / _SHORTEST))


def film(explained: Explained) -> Iterator[c.Pixels]:
    """The pictures of a film of a clip, one a frame, BGR uint8 [768, 1280, 3]."""
    width, height = _FILM
    base = c.page(width, height)
    slower = film_rate(explained) / (explained.frame_rate or film_rate(explained))
    _title(base, explained, f", shown at {slower:.0%} of its pace" if slower < 1 else "")
    each, room = (width - _LEFT - _RIGHT - 24) // 2, 360
    wide, tall = _fitted(explained, each, room)
    gap = (each - wide) // 2
    lefts = (_LEFT + gap, _LEFT + each + 24 + gap)
    top = 132
    for left, said in zip(lefts, ("what the network reads", "heat over it"), strict=True):
        c.write(base, said, (left, top - 10), 14, c.SOFT)
    _legend(base, lefts[1] + wide, top - 18)
    left, right = _LEFT, width - _RIGHT
    chart = (left, top + room + 44, right, top + room + 44 + 90)
    bars = (left, chart[3] + 36, right, chart[3] + 36 + 56)
    _charts(base, explained, chart, bars)
    most = _strongest(explained)
    for index, frame in enumerate(explained.frames):
        canvas = base.copy()
        image = c.enlarged(frame, wide, tall)
        c.paste(canvas, image, lefts[0], top)
        c.paste(canvas, c.heated(image, explained.heat[index], most), lefts[1], top)
        x = charts.x_of(explained, left, right, index)
        for upper, lower in ((chart[1], chart[3]), (bars[1], bars[3])):
            c.box(canvas, x - 1, upper, x + 1, lower, c.INK)
        score = float(explained.scores[index, explained.label])
        y = chart[3] - score * (chart[3] - chart[1])
        cv2.circle(canvas, (round(x), round(y)), 6, c.CLASS, -1, cv2.LINE_AA)
        yield canvas


def _draw_clip(explained: Explained) -> c.Pixels:
    shown = shown_frames(len(explained.frames), _SHOWN)
    left, right = _LEFT, _WIDTH - _RIGHT
    each = (right - left) / len(shown)
    wide, tall = _fitted(explained, min(round(each) - 6, 180), 170)
    first = 122
    second = first + tall + 6
    chart = (left, second + tall + 62, right, second + tall + 62 + _CHART)
    bars = (left, chart[3] + 46, right, chart[3] + 46 + _BARS)
    canvas = c.page(_WIDTH, bars[3] + 44)
    _title(canvas, explained)
    most = _strongest(explained)
    for place, index in enumerate(shown):
        x = left + (place + 0.5) * each - wide / 2
        image = c.enlarged(explained.frames[index], wide, tall)
        c.paste(canvas, image, x, first)
        c.paste(canvas, c.heated(image, explained.heat[index], most), x, second)
        c.write(canvas, _when(explained, index), (x + wide / 2, first - 8), 13, c.SOFT, "middle")
        # The frame's place on the time axis below.
        at = charts.x_of(explained, left, right, index)
        cv2.line(
            canvas,
            (round(x + wide / 2), second + tall + 4),
            (round(at), chart[1] - 30),
            c.GRID,
            1,
            cv2.LINE_AA,
        )
    c.write(canvas, "frame", (left - 10, first + tall / 2 + 5), 13, c.SOFT, "right")
    c.write(canvas, "heat", (left - 10, second + tall / 2 + 5), 13, c.SOFT, "right")
    _legend(canvas, right, 88)
    _charts(canvas, explained, chart, bars)
    return canvas


def _draw_picture(explained: Explained) -> c.Pixels:
    wide, tall = _fitted(explained, _PICTURE, _PICTURE)
    top = 132
    canvas = c.page(_WIDTH, top + max(tall, 200) + 28)
    _title(canvas, explained)
    image = c.enlarged(explained.frames[0], wide, tall)
    x = 24
    c.write(canvas, "what the network reads", (x, top - 10), 14, c.SOFT)
    c.paste(canvas, image, x, top)
    x += wide + 16
    c.write(canvas, "heat over it", (x, top - 10), 14, c.SOFT)
    c.paste(canvas, c.heated(image, explained.heat[0], _strongest(explained)), x, top)
    _legend(canvas, x + wide, top - 18)
    x += wide + 24
    c.write(canvas, "score", (x, top - 10), 14, c.SOFT)
    order = np.argsort(-explained.answer, kind="stable")[:9].tolist()
    if explained.label not in order:
        order[-1] = explained.label
    room = _WIDTH - _RIGHT - x
    for row, label in enumerate(order):
        y = top + row * 46
        color = c.CLASS if label == explained.label else c.OTHER
        score = float(explained.answer[label])
        ink = c.INK if label == explained.label else c.SOFT
        c.write(canvas, explained.labels[label], (x, y + 14), 15, ink, room=room - 60)
        c.write(canvas, f"{score:.3f}", (x + room, y + 14), 15, ink, "right")
        c.box(canvas, x, y + 22, x + room, y + 30, c.SHADE)
        c.box(canvas, x, y + 22, x + max(1.0, score * room), y + 30, color)
    return canvas


def shown_frames(time: int, most: int) -> list[int]:
    """Indices of at most `most` frames, each from the middle of an equal part of the clip."""
    count = min(time, most)
    return [int((part + 0.5) * time / count) for part in range(count)]


def _charts(
    canvas: c.Pixels,
    explained: Explained,
    chart: tuple[int, int, int, int],
    bars: tuple[int, int, int, int],
) -> None:
    left, _, right, _ = chart
    said = f"score of {_label(explained, explained.label)} along time"
    c.write(canvas, said, (left, chart[1] - 12), 15, c.CLASS, bold=True, room=(right - left) * 0.6)
    rival = charts.strongest_other(explained)
    said = f"dark gray: {_label(explained, rival)}, {float(explained.answer[rival]):.2f}"
    if explained.warmup:
        said += "; shaded: warm-up, does not count"
    c.write(canvas, said, (right, chart[1] - 12), 14, c.SOFT, "right", room=(right - left) * 0.38)
    charts.score_chart(canvas, explained, *chart)
    said = "score lost when this frame is left out (the one before shown again)"
    c.write(canvas, said, (left, bars[1] - 12), 15, c.LOSS, bold=True)
    charts.importance_chart(canvas, explained, *bars)
    charts.time_axis(canvas, explained, left, bars[3] + 24, right)


def _title(canvas: c.Pixels, explained: Explained, more: str = "") -> None:
    width = canvas.shape[1] - 48
    what = f'Why "{_label(explained, explained.label)}": score {explained.score:.3f}'
    if explained.label != explained.decided:
        decided = float(explained.answer[explained.decided])
        what += f" (decided: {_label(explained, explained.decided)}, {decided:.3f})"
    c.write(canvas, what, (24, 44), 26, c.INK, bold=True, room=width)
    parts = [explained.name]
    if explained.importance is not None:
        rate = f" at {explained.frame_rate:g} a second" if explained.frame_rate else ""
        parts.append(f"{len(explained.frames)} frames{rate}{more}")
    nothing = float(explained.heat.max()) <= 0
    method = {"layer-cam": "LayerCAM", "grad-cam": "Grad-CAM"}[explained.method]
    parts.append("no heat: nothing speaks for this class" if nothing else f"heat: {method}")
    c.write(canvas, ", ".join(parts), (24, 72), 15, c.SOFT, room=width - _LEGEND)


def _legend(canvas: c.Pixels, right: float, y: float) -> None:
    """The scale of the heat's colours, its right edge at `right`, its lower one at `y` + 10."""
    shares = np.linspace(0, 1, 90, dtype=np.float32)[None].repeat(10, axis=0)
    c.write(canvas, "strong", (right, y + 10), 13, c.SOFT, "right")
    c.paste(canvas, c.heat_colors(shares), right - 142, y)
    c.write(canvas, "weak", (right - 148, y + 10), 13, c.SOFT, "right")


def _fitted(explained: Explained, width: int, height: int) -> tuple[int, int]:
    """(width, height) of a frame enlarged to fit, its aspect kept."""
    _, tall, wide, _ = explained.frames.shape
    scale = min(width / wide, height / tall)
    return max(1, round(wide * scale)), max(1, round(tall * scale))


def _strongest(explained: Explained) -> float:
    """The heat that is drawn strongest, one for all frames; not a single frame's alone."""
    strongest = explained.heat.max(axis=(1, 2))
    return float(np.quantile(strongest, 0.9) or strongest.max())


def _label(explained: Explained, label: int) -> str:
    return explained.labels[label]


def _when(explained: Explained, index: int) -> str:
    return f"{index / explained.frame_rate:.1f} s" if explained.frame_rate else f"{index}"
