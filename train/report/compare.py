"""The page that sets several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from edgecrnn.runtime.files import write_file
from edgecrnn.train.evaluation.comparison import (
    Contender,
    Difference,
    best_of,
    differences,
    settings_that_differ,
)
from edgecrnn.train.evaluation.comparison_text import comparison_rows, difference_said, judged_on
from edgecrnn.train.report.confusion import confusion_map
from edgecrnn.train.report.curves import curve_chart, series
from edgecrnn.train.report.page import render, style

_COLORS = 6


def build_comparison(
    contenders: Sequence[Contender], rate: float | None = None, device: str = ""
) -> str:
    """The whole page as HTML; it loads nothing and runs nothing.

    Args:
        contenders: at least two.
        rate: million multiply-adds a millisecond, for the time of a frame; None for none.
        device: what has that rate.
    """
    found = differences(contenders)
    return render(
        "compare.html.j2",
        style=style(),
        contenders=contenders,
        colors=[f"run-{i % _COLORS}" for i in range(len(contenders))],
        best=best_of(contenders),
        judged_on=judged_on(contenders),
        verdict=_verdict(found),
        rows=comparison_rows(contenders, rate, device),
        differ=settings_that_differ(contenders),
        differences=found,
        said=difference_said,
        curves=_curves(contenders),
        confusions=[
            (one.name, confusion_map(one.evaluation.labels, one.evaluation.confusion))
            for one in contenders
        ],
    )


def write_comparison(
    path: Path, contenders: Sequence[Contender], rate: float | None = None, device: str = ""
) -> None:
    """Write the page, whole or not at all; see `build_comparison`."""
    write_file(path, build_comparison(contenders, rate, device).encode("utf-8", "replace"))


def _verdict(found: Sequence[Difference]) -> str:
    """How many of the differences are more than chance."""
    sure = sum(not one.chance for one in found if one.clips)
    if not sure:
        return "No difference between the best run and another is more than chance."
    return f"{sure} of {len(found)} differences to the best run are more than chance."


def _curves(contenders: Sequence[Contender]) -> list[tuple[str, Markup]]:
    """Runs are numbered in the charts: names do not fit beside each other."""
    charts = []
    for title, key, share in (("Validation accuracy", "val_accuracy", True),
                              ("Validation loss", "val_loss", False)):  # fmt: skip
        lines = [
            series(str(i + 1), f"curve run-{i % _COLORS}", one.history, key)
            for i, one in enumerate(contenders)
        ]
        chart = curve_chart(f"{title} by epoch", lines, None, share)
        if chart is not None:
            charts.append((title, chart))
    return charts
