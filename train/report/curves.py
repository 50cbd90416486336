"""Learning curves: one value an epoch, training beside validation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from edgecrnn.train.report import svg

_WIDTH, _HEIGHT = 440.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 12.0, 34.0, 34.0


@dataclass(frozen=True)
class Series:
    """One line: its name, how it is drawn, and (epoch, value) pairs."""

    name: str
    style: str
    points: tuple[tuple[float, float], ...]


def series(name: str, style: str, history: Sequence[Mapping[str, float]], key: str) -> Series:
    """The values of `key`; epochs without a finite one are left out."""
    points = [
        (float(line.get("epoch", index)), float(value))
        for index, line in enumerate(history, 1)
        if (value := line.get(key)) is not None and math.isfinite(value)
    ]
    return Series(name, style, tuple(points))


def curve_chart(
    title: str, lines: Sequence[Series], best_epoch: int | None, share: bool
) -> Markup | None:
    """A chart of `lines` over the epochs; None where there is nothing to draw.

    Args:
        title: read out in place of the drawing.
        lines: what is drawn; empty ones are left out.
        best_epoch: marked, where given.
        share: values are shares, shown as percent from 0 to 100.
    """
    lines = [one for one in lines if one.points]
    if not lines:
        return None
    epochs = [x for one in lines for x, _ in one.points]
    first, last = min(epochs), max(epochs)
    marks = svg.ticks(1.0 if share else max(y for one in lines for _, y in one.points))
    bottom = _HEIGHT - _BOTTOM

    def across(epoch: float) -> float:
        width = _WIDTH - _LEFT - _RIGHT
        return _LEFT + width * ((epoch - first) / (last - first) if last > first else 0.5)

    def up(value: float) -> float:
        return bottom - (bottom - _TOP) * min(1.0, max(0.0, value / marks[-1]))

    parts = []
    for mark in marks:
        parts.append(svg.line(_LEFT, up(mark), _WIDTH - _RIGHT, up(mark), "grid"))
        said = f"{100 * mark:.0f} %" if share else f"{mark:g}"
        parts.append(svg.text(_LEFT - 6, up(mark) + 4, said, "soft", "end"))
    if best_epoch is not None and first <= best_epoch <= last:
        x = across(best_epoch)
        parts.append(svg.line(x, _TOP, x, bottom, "mark"))
        anchor = "end" if x > _WIDTH - 90 else "start"
        y = bottom - 6 if share else _TOP + 10
        parts.append(svg.text(x + (-5 if anchor == "end" else 5), y, "best", "soft", anchor))
    for epoch in _epochs(first, last):
        parts.append(svg.text(across(epoch), bottom + 16, f"{epoch:g}", "soft", "middle"))
    parts.append(svg.text(_WIDTH - _RIGHT, _HEIGHT - 3, "epoch", "soft", "end"))
    for one in lines:
        parts.append(svg.polyline([(across(x), up(y)) for x, y in one.points], one.style))
    parts += _legend(lines)
    return svg.picture(_WIDTH, _HEIGHT, title, parts)


def _legend(lines: Sequence[Series]) -> list[Markup]:
    parts, x = [], _LEFT
    for one in lines:
        parts.append(svg.polyline([(x, 12), (x + 18, 12)], one.style))
        parts.append(svg.text(x + 23, 16, one.name))
        x += 40 + 6.6 * len(one.name)
    return parts


def _epochs(first: float, last: float) -> list[float]:
    if last - first < 8:
        return [first + i for i in range(int(last - first) + 1)]
    step = svg.ticks(last - first, 6)[1]
    inner = [step * i for i in range(math.ceil(last / step) + 1)]
    return [first, *(e for e in inner if first + step / 2 < e <= last)]
