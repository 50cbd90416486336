"""The confusion matrix as a heat map: right answers in one colour, mistakes in another."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from edgecrnn.train.report import svg

_LETTER = 6.7  # pixels of an average letter
_SLANTED = 14  # more columns are numbered instead of named


def confusion_map(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> Markup:
    """Rows are the truth, columns the decision; a cell is coloured by its share of the row.

    Args:
        labels: names of the classes.
        confusion: counts, one row a class.
    """
    n = len(labels)
    cell = max(16.0, min(46.0, 440.0 / n))
    slanted = n <= _SLANTED
    names = [svg.cut(label, 18) for label in labels]
    if not slanted:
        names = [f"{name} {index + 1}" for index, name in enumerate(names)]
    longest = max(len(name) for name in names)
    left, top = 12 + _LETTER * longest, (14 + 0.7 * _LETTER * longest if slanted else 22.0)
    # The last slanted name leans out to the right.
    right = 0.72 * _LETTER * len(names[-1]) if slanted else 6.0
    parts = []
    for index, (name, label) in enumerate(zip(names, labels, strict=True)):
        middle = (index + 0.5) * cell
        title = svg.tag("title", label)
        parts.append(
            svg.tag("text", name, title, x=left - 7, y=top + middle + 4, text_anchor="end")
        )
        x, y = left + middle, top - 7
        if slanted:
            parts.append(
                svg.tag(
                    "text", name, title, x=x - 3, y=y,
                    transform=f"rotate(-45 {svg.number(x - 3)} {svg.number(y)})",
                )
            )  # fmt: skip
        else:
            parts.append(
                svg.tag(
                    "text", str(index + 1), title, x=x, y=y, text_anchor="middle", class_="soft"
                )
            )
    for t, row in enumerate(confusion):
        total = sum(row)
        for p, count in enumerate(row):
            x, y = left + p * cell, top + t * cell
            said = f"{labels[t]} decided as {labels[p]}: {count} of {total}"
            parts += _cell(x, y, cell, count, count / total if total else 0.0, t == p, said)
    width, height = left + n * cell + right, top + n * cell + 2
    label = "Confusion matrix: rows are the truth, columns the decision"
    return svg.picture(width, height, label, parts, wide=width > 620)


def _cell(
    x: float, y: float, side: float, count: int, share: float, right: bool, said: str
) -> list[Markup]:
    gap = 1.0 if side < 24 else 1.5
    box = (x + gap, y + gap, side - 2 * gap, side - 2 * gap)
    parts = [svg.rect(*box, "cell", said, rx=2)]
    if not count:
        return parts
    # A single mistake among many must still be seen.
    strength = 0.14 + 0.86 * share
    parts.append(
        svg.rect(*box, "right" if right else "wrong", said, rx=2, fill_opacity=float(strength))
    )
    if side >= 22:
        style = "on" if strength > 0.55 else ""
        parts.append(svg.text(x + side / 2, y + side / 2 + 4, str(count), style, "middle"))
    return parts
