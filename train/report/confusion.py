"""The confusion matrix as a heat map: right answers in one colour, mistakes in another."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from edgecrnn.train.report import svg

_LETTER = 7.2  # pixels of an average letter
_SLANTED = 14  # more columns are numbered instead of named


def confusion_map(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> Markup:
    """Rows are the truth, columns the decision; a cell is coloured by its share of the row.

    Args:
        labels: names of the classes.
        confusion: counts, one row a class.
    """
    n = len(labels)
    cell = max(16.0, min(46.0, 440.0 / n))
    heads = names = [svg.cut(label, 18) for label in labels]
    if n > _SLANTED:
        heads = [str(index + 1) for index in range(n)]
        names = [f"{name} {head}" for name, head in zip(names, heads, strict=True)]
    longest, longest_head = max(map(len, names)), max(map(len, heads))
    slanted = _LETTER * longest_head > cell
    left, top = 12 + _LETTER * longest, (14 + 0.7 * _LETTER * longest_head if slanted else 22.0)
    # The last slanted name leans out to the right.
    right = 0.72 * _LETTER * len(heads[-1]) if slanted else 6.0
    parts = []
    for index, (name, head, label) in enumerate(zip(names, heads, labels, strict=True)):
        x, y, title = left + (index + 0.5) * cell, top - 7, svg.tag("title", label)
        beside = {"x": left - 7, "y": top + (index + 0.5) * cell + 4, "text_anchor": "end"}
        parts.append(svg.tag("text", name, title, **beside))
        if slanted:
            turn = f"rotate(-45 {svg.number(x - 3)} {svg.number(y)})"
            parts.append(svg.tag("text", head, title, x=x - 3, y=y, transform=turn))
        else:
            style = "tiny" if cell < 20 else None
            parts.append(svg.tag("text", head, title, x=x, y=y, text_anchor="middle", class_=style))
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
