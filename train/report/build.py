"""The page: figures, drawings and tables put into one self-contained HTML file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from edgecrnn.runtime.files import write_file
from edgecrnn.train.evaluation.promise import shortfall_said
from edgecrnn.train.evaluation.text import count_said, percent, stream_rows, threshold_rows
from edgecrnn.train.report.certificate import certificate_section
from edgecrnn.train.report.confusion import confusion_map
from edgecrnn.train.report.content import ReportInput
from edgecrnn.train.report.curves import curve_chart, series
from edgecrnn.train.report.explained import explained_section
from edgecrnn.train.report.filmstrip import card
from edgecrnn.train.report.page import bytes_said, render, style
from edgecrnn.train.report.precision_coverage import Curve, precision_chart
from edgecrnn.train.report.stream_strip import FRAMES_SHOWN, stream_strip

# Differences smaller than this are not worth a remark.
_REMARKABLE = 0.05
# Of fewer clips no such difference says anything.
_ENOUGH = 20


@dataclass(frozen=True)
class Tile:
    """One headline figure."""

    name: str
    value: str
    remark: str
    main: bool = False


def build_report(report: ReportInput) -> str:
    """The whole page as HTML; it loads nothing and runs nothing."""
    evaluation = report.evaluation
    cards = [
        card(one, evaluation.labels, evaluation.warmup, report.frame_rate)
        for one in report.examples
    ]
    trace = evaluation.detail.trace
    certificate = None
    if report.certificate is not None:
        certificate = certificate_section(report.certificate, report.diagrams)
    return render(
        "report.html.j2",
        report=report,
        certificate=certificate,
        evaluation=evaluation,
        one=evaluation.kind.removesuffix("s"),
        style=style(),
        tiles=tiles(report),
        remarks=remarks(report),
        confusion=confusion_map(evaluation.labels, evaluation.confusion),
        curves=_curves(report),
        explained=explained_section(report.explained) if report.explained else None,
        sureness=_sureness(report),
        shortfall=_shortfall(report),
        stream_rows=stream_rows(evaluation) if evaluation.stream else [],
        threshold_rows=threshold_rows(evaluation),
        wrong=[one for one in cards if not one.right],
        right=[one for one in cards if one.right],
        stream=stream_strip(trace, evaluation.labels, report.frame_rate) if trace else None,
        stream_shown=min(FRAMES_SHOWN, len(trace.truth)) if trace else 0,
        mistakes=sum(map(sum, evaluation.confusion))
        - sum(row[i] for i, row in enumerate(evaluation.confusion)),
    )


def write_report(path: Path, report: ReportInput) -> None:
    """Write the page, whole or not at all."""
    write_file(path, build_report(report).encode("utf-8", "replace"))


def tiles(report: ReportInput) -> list[Tile]:
    """The headline figures, the most telling first."""
    clip, stream = report.evaluation.clip, report.evaluation.stream
    baseline = report.evaluation.baseline
    kind = report.evaluation.kind
    low, high = clip.interval
    result = []
    if stream is not None:
        remark = f"frames right, never reset, {report.evaluation.warmup} of warm-up left out"
        result.append(Tile("Stream", percent(stream.accuracy), remark, main=True))
    several = report.evaluation.multilabel
    if several is not None:
        low_mean, high_mean = (100 * (bound or 0.0) for bound in several.interval)
        remark = f"mean average precision; 95 % interval {low_mean:.1f} to {high_mean:.1f}"
        result.append(Tile("Labels", percent(several.mean_average_precision), remark, main=True))
    one = kind.removesuffix("s")
    remark = (
        f"of {count_said(clip.count, one)} right; 95 % interval {100 * low:.1f} to {100 * high:.1f}"
    )
    result.append(Tile(kind.capitalize(), percent(clip.accuracy), remark, main=True))
    if baseline is not None:
        if baseline.stream_accuracy is not None:
            remark, value = "frames right without memory", baseline.stream_accuracy
        else:
            remark, value = f"{kind} right by the network without an LSTM", baseline.clip_accuracy
        result.append(Tile("No memory", percent(value), remark))
    if clip.shuffled_accuracy is not None:
        remark = "clips right, their frames shuffled"
        result.append(Tile("Shuffled", percent(clip.shuffled_accuracy), remark))
    if stream is not None and stream.changes:
        result.append(_delay_tile(report))
    remark = "trained numbers"
    if report.multiply_adds:
        one = "frame" if report.sequence == "time" else "picture"
        remark += f"; {report.multiply_adds / 1e6:.2f} million multiply-adds a {one}"
    result.append(Tile("Parameters", f"{report.parameters:,}", remark))
    return result + _size_tile(report)


def remarks(report: ReportInput) -> list[str]:
    """Sentences on figures that ought to make a reader think."""
    clip, stream = report.evaluation.clip, report.evaluation.stream
    baseline = report.evaluation.baseline
    result: list[str] = []
    if clip.count < _ENOUGH:
        return list(report.notes)
    if clip.shuffled_accuracy is not None and clip.accuracy - clip.shuffled_accuracy < _REMARKABLE:
        result.append(
            "Shuffling the frames hardly changes the score: the model does not use their order."
        )
    if baseline is not None and clip.accuracy - baseline.clip_accuracy < _REMARKABLE:
        result.append("A model without memory does about as well: these classes need no memory.")
    if stream is not None and stream.accuracy is not None:
        if clip.accuracy - stream.accuracy > _REMARKABLE:
            result.append(
                "The stream scores clearly below the clips: the model works best from a reset."
            )
        if stream.changes and stream.delay_p90 is None:
            result.append("More than one change of class in ten is never followed by the decision.")
    return [*result, *report.notes]


def _delay_tile(report: ReportInput) -> Tile:
    stream = report.evaluation.stream
    assert stream is not None
    median, late = stream.delay_median, stream.delay_p90
    remark = "frames until a new class is seen; 90 % within " + (
        "no time" if late is None else str(late)
    )
    if late is None:
        remark = "frames until half of the new classes are seen"
    if report.frame_rate and median is not None:
        remark += f" ({report.frame_rate:g} frames a second)"
    return Tile("Delay", "never" if median is None else str(median), remark)


def _size_tile(report: ReportInput) -> list[Tile]:
    """The smallest variant beside the largest, where there are two."""
    if len(report.variants) < 2:
        return []
    largest = max(report.variants, key=lambda row: row.size)
    smallest = min(report.variants, key=lambda row: row.size)
    times = largest.size / max(1, smallest.size)
    remark = f"{smallest.name}, {times:.1f} times smaller than {largest.name}"
    return [Tile("On the device", bytes_said(smallest.size), remark)]


def _shortfall(report: ReportInput) -> str:
    """What validation promised, against what is judged; nothing where it promised nothing."""
    evaluation = report.evaluation
    if evaluation.promise is None or evaluation.decided is None:
        return ""
    return shortfall_said(evaluation.promise, evaluation.decided, evaluation.kind.removesuffix("s"))


def _sureness(report: ReportInput) -> Markup | None:
    evaluation = report.evaluation
    if not evaluation.curve:
        return None
    name, here, promise = _judged_name(report.judged_on), evaluation.decided, evaluation.promise
    coverage = None if here is None else here.coverage
    precision = None if here is None else here.precision
    if promise is None:
        return precision_chart([Curve(name, "curve val", evaluation.curve, coverage, precision)])
    then = promise.decided
    return precision_chart(
        [
            Curve(
                "validation, for choosing",
                "curve val",
                promise.curve,
                then.coverage,
                then.precision,
            ),
            Curve(f"{name}, only shown", "curve base", evaluation.curve, coverage, precision),
        ]
    )


def _judged_name(judged_on: str) -> str:
    """'test' of 'the test split that training made'."""
    found = re.match(r"the (test|val|train) split", judged_on)
    return found[1].replace("val", "validation") if found else "the clips judged"


def _curves(report: ReportInput) -> list[tuple[str, Markup]]:
    history, without = report.history, report.baseline_history
    accuracy = [
        series("training", "curve train", history, "accuracy"),
        series("validation", "curve val", history, "val_accuracy"),
        series("without memory", "curve base", without, "val_accuracy"),
    ]
    loss = [
        series("training", "curve train", history, "loss"),
        series("validation", "curve val", history, "val_loss"),
    ]
    charts = (
        ("Accuracy", curve_chart("Accuracy by epoch", accuracy, report.best_epoch, share=True)),
        ("Loss", curve_chart("Loss by epoch", loss, report.best_epoch, share=False)),
    )
    return [(name, chart) for name, chart in charts if chart is not None]
