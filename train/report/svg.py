"""Drawing: SVG elements as escaped markup, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape


def tag(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """One element. `class_` is class, other underscores are hyphens; numbers are shortened."""
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            said = number(value) if isinstance(value, float) else str(value)
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(said)}"')
    inner = Markup("").join(escape(child) for child in children)
    return Markup(f"<{' '.join(parts)}>{inner}</{name}>")


def picture(
    width: float,
    height: float,
    label: str,
    children: Iterable[Markup],
    wide: bool = False,
    class_: str = "",
) -> Markup:
    """A whole drawing of that size in pixels.

    A `wide` one keeps its size, for a box that scrolls; another one fits the column.
    """
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=number(width),
        height=number(height),
        role="img",
        aria_label=label,
        class_=f"{'wide' if wide else 'fit'} {class_}".strip(),
    )


def text(x: float, y: float, said: str, class_: str = "", anchor: str = "start") -> Markup:
    """Text on its baseline."""
    return tag("text", said, x=float(x), y=float(y), text_anchor=anchor, class_=class_ or None)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def rect(
    x: float, y: float, width: float, height: float, class_: str, title: str = "", **more: object
) -> Markup:
    """A rectangle, with a tooltip where `title` is given."""
    inner = [tag("title", title)] if title else []
    sides = {"x": float(x), "y": float(y), "width": float(width), "height": float(height)}
    return tag("rect", *inner, class_=class_, **sides, **more)


def polyline(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through `points`; a single point becomes a dot."""
    if len(points) == 1:
        x, y = points[0]
        return tag("circle", cx=float(x), cy=float(y), r=3, class_=f"{class_} dot")
    said = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return tag("polyline", points=said, class_=class_)


def number(value: float) -> str:
    """At most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def cut(name: str, most: int) -> str:
    """A name of at most `most` letters."""
    return name if len(name) <= most else name[: most - 1] + "…"


def ticks(top: float, most: int = 5) -> list[float]:
    """Round values from 0 to at least `top`, about `most` of them."""
    if not top > 0 or not math.isfinite(top):
        return [0.0, 1.0]
    step = 10.0 ** math.floor(math.log10(top / most))
    for factor in (1, 2, 5, 10):
        if step * factor * most >= top:
            step *= factor
            break
    return [step * i for i in range(math.ceil(top / step - 1e-9) + 1)]
