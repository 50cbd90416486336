"""The page that sets several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from edgecrnn.runtime.files import write_file
from edgecrnn.train.evaluation.comparison import (
    Contender,
    difference_said,
    differences,
    settings_that_differ,
)
from edgecrnn.train.report.confusion import confusion_map
from edgecrnn.train.report.curves import curve_chart, series
from edgecrnn.train.report.page import render, style

_COLORS = 6


def build_comparison(contenders: Sequence[Contender]) -> str:
    """The whole page as HTML; it loads nothing and runs nothing."""
    best = max(contenders, key=lambda one: one.evaluation.clip.accuracy)
    return render(
        "compare.html.j2",
        style=style(),
        contenders=contenders,
        best=best,
        differ=settings_that_differ(contenders),
        differences=differences(contenders),
        said=difference_said,
        curves=_curves(contenders),
        confusions=[
            (one.name, confusion_map(one.evaluation.labels, one.evaluation.confusion))
            for one in contenders
        ],
    )


def write_comparison(path: Path, contenders: Sequence[Contender]) -> None:
    """Write the page, whole or not at all."""
    write_file(path, build_comparison(contenders).encode("utf-8", "replace"))


def _curves(contenders: Sequence[Contender]) -> list[tuple[str, Markup]]:
    charts = []
    for title, key, share in (("Validation accuracy", "val_accuracy", True),
                              ("Validation loss", "val_loss", False)):  # fmt: skip
        lines = [
            series(_short(one.name), f"curve run-{i % _COLORS}", one.history, key)
            for i, one in enumerate(contenders)
        ]
        chart = curve_chart(f"{title} by epoch", lines, None, share)
        if chart is not None:
            charts.append((title, chart))
    return charts


def _short(name: str) -> str:
    last = Path(name).name
    return last if len(last) <= 16 else last[:15] + "…"
