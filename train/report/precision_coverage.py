"""Precision over coverage: what a person gains by letting the model say that it does not know."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from edgecrnn.train.evaluation.deciding import CurvePoint
from edgecrnn.train.report import svg

_WIDTH, _HEIGHT = 440.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 16.0, 38.0
_STEPS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


def sureness_chart(points: Sequence[CurvePoint], threshold: float) -> Markup | None:
    """The curve, the chosen threshold marked; None where there is nothing to draw.

    Args:
        points: by rising threshold.
        threshold: that goes with the model.
    """
    known = [(each.coverage, each.precision) for each in points if each.precision is not None]
    if not known:
        return None
    low, step = _floor(min(precision for _, precision in known))

    def across(coverage: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * coverage

    def up(precision: float) -> float:
        bottom = _HEIGHT - _BOTTOM
        return bottom - (bottom - _TOP) * (precision - low) / (1 - low)

    parts = []
    for mark in range(round((1 - low) / step) + 1):
        value = low + mark * step
        parts.append(svg.line(_LEFT, up(value), _WIDTH - _RIGHT, up(value), "grid"))
        parts.append(svg.text(_LEFT - 6, up(value) + 4, f"{100 * value:.0f} %", "soft", "end"))
    for tenths in (0, 25, 50, 75, 100):
        x = across(tenths / 100)
        parts.append(svg.text(x, _HEIGHT - _BOTTOM + 16, f"{tenths} %", "soft", "middle"))
    parts.append(svg.text(_WIDTH - _RIGHT, _HEIGHT - 5, "answered", "soft", "end"))
    parts.append(svg.text(_LEFT + 6, _TOP + 12, "right of those", "soft"))
    parts.append(svg.polyline([(across(x), up(y)) for x, y in known], "curve val"))
    chosen = [each for each in points if each.threshold <= threshold][-1:]
    for each in chosen:
        if each.precision is not None:
            x, y = across(each.coverage), up(each.precision)
            parts.append(svg.line(x, _TOP, x, _HEIGHT - _BOTTOM, "mark"))
            parts.append(svg.polyline([(x, y)], "curve val"))
            anchor = "end" if x > _WIDTH / 2 else "start"
            shift = -6 if anchor == "end" else 6
            said = f"threshold {threshold:g}"
            parts.append(svg.text(x + shift, _HEIGHT - _BOTTOM - 8, said, "soft", anchor))
    return svg.picture(_WIDTH, _HEIGHT, "Precision over coverage", parts)


def _floor(least: float) -> tuple[float, float]:
    """A round value below `least` for the axis to start at, and the step of its marks."""
    for step in _STEPS:
        marks = int((1 - least) / step) + 1
        if marks >= 3 or step == _STEPS[-1]:
            return max(0.0, round(1 - marks * step, 6)), step
    return 0.0, _STEPS[0]
