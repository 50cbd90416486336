"""Precision over coverage: what a person gains by letting the model say that it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from edgecrnn.train.evaluation.deciding import CurvePoint
from edgecrnn.train.report import svg

_WIDTH, _HEIGHT = 440.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 36.0, 38.0
_STEPS = (0.2, 0.1, 0.05, 0.02, 0.01)
_MARKS = 5  # at most, on the upright axis


@dataclass(frozen=True)
class Curve:
    """One line of the chart."""

    name: str
    style: str  # how it is drawn
    points: Sequence[CurvePoint]  # by rising threshold
    coverage: float | None  # at the threshold that goes with the model
    precision: float | None  # likewise

    @property
    def known(self) -> list[tuple[float, float]]:
        """(coverage, precision) where something is answered."""
        return [(one.coverage, one.precision) for one in self.points if one.precision is not None]


def precision_chart(curves: Sequence[Curve]) -> Markup | None:
    """The curves, what the model's threshold does marked on each; None for nothing to draw.

    Args:
        curves: what is drawn; empty ones are left out.
    """
    curves = [one for one in curves if one.known]
    if not curves:
        return None
    low, step = _floor(min(precision for one in curves for _, precision in one.known))

    def place(coverage: float, precision: float) -> tuple[float, float]:
        bottom = _HEIGHT - _BOTTOM
        up = bottom - (bottom - _TOP) * (precision - low) / (1 - low)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * coverage, up

    parts = []
    for mark in range(round((1 - low) / step) + 1):
        value = low + mark * step
        y = place(0, value)[1]
        parts.append(svg.line(_LEFT, y, _WIDTH - _RIGHT, y, "grid"))
        parts.append(svg.text(_LEFT - 6, y + 4, f"{100 * value:.0f} %", "soft", "end"))
    for percents in (0, 25, 50, 75, 100):
        x = place(percents / 100, 1)[0]
        parts.append(svg.text(x, _HEIGHT - _BOTTOM + 16, f"{percents} %", "soft", "middle"))
    parts.append(svg.text(_WIDTH - _RIGHT, _HEIGHT - 5, "answered", "soft", "end"))
    parts.append(svg.text(_LEFT - 42, _TOP - 14, "right of those", "soft"))
    for one in curves:
        parts.append(svg.polyline([place(*point) for point in one.known], one.style))
    for one in curves:
        if one.coverage is not None and one.precision is not None:
            parts.append(svg.polyline([place(one.coverage, one.precision)], f"{one.style} chosen"))
    parts += _legend(curves)
    return svg.picture(_WIDTH, _HEIGHT, "Precision over coverage", parts)


def _legend(curves: Sequence[Curve]) -> list[Markup]:
    """From the right: the left is the axis' own."""
    parts, x = [], _WIDTH - _RIGHT
    for one in reversed(curves):
        x -= 6.6 * len(one.name)
        parts.append(svg.text(x, _TOP - 14, one.name))
        parts.append(svg.polyline([(x - 23, _TOP - 18), (x - 5, _TOP - 18)], one.style))
        x -= 38
    return parts


def _floor(least: float) -> tuple[float, float]:
    """A round value below `least` for the axis to start at, and the step of its marks."""
    fine = [step for step in _STEPS if (1 - least) / step <= _MARKS]
    step = fine[-1] if fine else _STEPS[0]
    marks = max(1, int((1 - least) / step - 1e-9) + 1)
    return max(0.0, round(1 - marks * step, 6)), step
