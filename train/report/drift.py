"""Agreement along the stream: one value a tenth, one line a variant, and the least required."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from edgecrnn.train.report import svg

_WIDTH, _PLOT = 460.0, 190.0
_LEFT, _RIGHT, _LETTER, _LINE = 52.0, 14.0, 7.0, 18.0
_STEPS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_COLOURS = 6  # as many as the style sheet has


def drift_chart(
    drifts: Mapping[str, Sequence[float]], least: float | None, refused: Sequence[str], of: str
) -> Markup | None:
    """A chart; None where there is nothing to draw.

    Args:
        drifts: variant to its agreement in each part of the stream, shares.
        least: the agreement that is required, drawn as a line.
        refused: variants that are not shipped; said beside their names.
        of: what is cut into parts, for example "the stream".
    """
    drifts = {name: values for name, values in drifts.items() if len(values)}
    if not drifts:
        return None
    lowest = min(value for values in drifts.values() for value in values)
    marks = _marks(min(lowest, 1.0 if least is None else least))
    legend, top = _legend([*drifts], refused, least)
    top += 14
    bottom, right = top + _PLOT, _WIDTH - _RIGHT

    def up(share: float) -> float:
        return bottom - _PLOT * (share - marks[0]) / (marks[-1] - marks[0])

    parts = []
    digits = max(0, -math.floor(math.log10(100 * (marks[1] - marks[0])) + 1e-9))
    for mark in marks:
        parts.append(svg.line(_LEFT, up(mark), right, up(mark), "grid"))
        parts.append(svg.text(_LEFT - 7, up(mark) + 4, f"{100 * mark:.{digits}f} %", "soft", "end"))
    if least is not None:
        parts.append(svg.line(_LEFT, up(least), right, up(least), "least"))
    count = max(len(values) for values in drifts.values())
    across = [_LEFT + 12 + (right - _LEFT - 24) * i / max(1, count - 1) for i in range(count)]
    for index, x in enumerate(across):
        parts.append(svg.text(x, bottom + 16, str(index + 1), "soft", "middle"))
    said = f"tenth of {of}" if count == 10 else f"part of {of}"
    parts.append(svg.text(right, bottom + 32, said, "soft", "end"))
    for index, (name, values) in enumerate(drifts.items()):
        points = [(x, up(value)) for x, value in zip(across, values, strict=False)]
        parts.append(svg.polyline(points, _colour(index)))
        parts += [
            _dot(x, y, index, f"{name}: {100 * value:.2f} %")
            for (x, y), value in zip(points, values, strict=True)
        ]
    label = f"Agreement with the trained model in each part of {of}"
    return svg.picture(_WIDTH, bottom + 38, label, [*legend, *parts])


def _marks(lowest: float) -> list[float]:
    """At most six round shares from below `lowest` to 1."""
    span = max(1.06 * (1 - lowest), _STEPS[0])
    step = next((step for step in _STEPS if 5 * step >= span), _STEPS[-1])
    count = min(math.ceil(span / step - 1e-9), round(1 / step))
    return [1 - step * i for i in range(count, -1, -1)]


def _colour(index: int) -> str:
    return f"drift drift-{index % _COLOURS}"


def _dot(x: float, y: float, index: int, said: str) -> Markup:
    """A mark of the line's own shape, so that colour alone does not tell lines apart."""
    title, r = svg.tag("title", said), 3.6
    shapes = (
        "M{l} {y}L{x} {t}L{r} {y}L{x} {b}z",
        "M{l} {t}L{r} {t}L{r} {b}L{l} {b}z",
        "M{l} {b}L{r} {b}L{x} {t}z",
    )
    if index % 4 == 3:
        return svg.tag("circle", title, cx=x, cy=y, r=r, class_=_colour(index))
    ends = {"x": x, "y": y, "l": x - r, "r": x + r, "t": y - r, "b": y + r}
    d = shapes[index % 4].format(**{key: svg.number(value) for key, value in ends.items()})
    return svg.tag("path", title, d=d, class_=_colour(index))


def _legend(
    names: Sequence[str], refused: Sequence[str], least: float | None
) -> tuple[list[Markup], float]:
    """Names beside their lines, in as many rows as they need, and the height of that."""
    entries = [svg.cut(name, 28) + (" (refused)" if name in refused else "") for name in names]
    if least is not None:
        entries.append(f"required: {100 * least:g} %")
    parts, x, y = [], 2.0, 12.0
    for index, said in enumerate(entries):
        needed = 30 + _LETTER * len(said) + 14
        if x > 2 and x + needed > _WIDTH:
            x, y = 2.0, y + _LINE
        if index < len(names):
            parts.append(svg.polyline([(x, y), (x + 22, y)], _colour(index)))
            parts.append(_dot(x + 11, y, index, names[index]))
        else:
            parts.append(svg.line(x, y, x + 22, y, "least"))
        parts.append(svg.text(x + 29, y + 4, said))
        x += needed
    return parts, y + 8
