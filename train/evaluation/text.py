"""An evaluation as plain text that looks the same on a terminal and in a pipe."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from edgecrnn.train.evaluation.deciding import point_at, point_from
from edgecrnn.train.evaluation.promise import shortfall_said
from edgecrnn.train.evaluation.result import Evaluation, MultilabelScores

# More columns do not fit a terminal; the commonest mistakes are listed instead.
_WIDEST_CONFUSION = 20
_MISTAKES = 12
_NAME_WIDTH = 28
# Shares answered that the printed curve shows.
_ANSWERED = (1.0, 0.95, 0.9, 0.8, 0.6)


def evaluation_text(evaluation: Evaluation) -> str:
    """Headline figures, the table of classes and the confusions, ending in a newline."""
    parts = [_headline(evaluation)]
    if evaluation.multilabel is not None:
        parts.append(labels_text(evaluation.multilabel))
    parts += [_class_table(evaluation), _confusions(evaluation)]
    return "\n".join(parts)


def labels_text(scores: MultilabelScores) -> str:
    """The table of labels that may be true together."""
    head = ["label", "average precision", "precision", "recall", "F1", "from score", "true"]
    rows = [head]
    for one in scores.labels:
        shares = (one.average_precision, one.precision, one.recall, one.f1)
        row = [shown(one.label), *map(percent, shares)]
        rows.append([*row, f"{one.threshold:.2f}", f"{one.support:,}"])
    mean = percent(scores.mean_average_precision)
    return (
        f"Mean average precision {mean} (95 % interval {interval_said(scores.interval)}); "
        f"{percent(scores.hamming)} of all labels right. Above and below, an answer is a whole "
        f"set of labels.\n\n{table(rows)}"
    )


def count_said(count: int, one: str) -> str:
    """'1 clip' or '1,200 clips'."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def percent(share: float | None) -> str:
    """'97.3 %', or - for 0/0."""
    return "-" if share is None else f"{100 * share:.1f} %"


def shown(name: str, width: int = _NAME_WIDTH) -> str:
    """A class's name that cannot move the cursor, cut to `width` columns."""
    safe = "".join(letter if letter.isprintable() else "?" for letter in name)
    if _columns(safe) <= width:
        return safe
    while _columns(safe) > width - 1:
        safe = safe[:-1]
    return safe + "…"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, the first left-aligned, the others right-aligned."""
    widths = [max(_columns(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0] + " " * (widths[0] - _columns(row[0]))]
        pairs = zip(row[1:], widths[1:], strict=True)
        cells += [" " * (width - _columns(cell)) + cell for cell, width in pairs]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _headline(evaluation: Evaluation) -> str:
    clip, stream, baseline = evaluation.clip, evaluation.stream, evaluation.baseline
    one = evaluation.kind.removesuffix("s")
    rows = [["", "accuracy", "95 % interval", "without memory"]]
    rows.append(
        [
            f"{one}s",
            percent(clip.accuracy),
            interval_said(clip.interval),
            percent(baseline.clip_accuracy) if baseline else "-",
        ]
    )
    if stream is not None:
        rows.append(
            [
                f"stream, {evaluation.warmup} frames of warm-up left out",
                percent(stream.accuracy),
                interval_said(stream.interval),
                percent(baseline.stream_accuracy) if baseline else "-",
            ]
        )
        less = "-" if stream.less_clips is None else f"{100 * stream.less_clips:+.1f}"
        rows.append(["  less clips, points", less, interval_said(stream.less_clips_interval), ""])
        rows.append(["frames of the clips, one by one", percent(clip.frame_accuracy), "", ""])
    rows.append(["mean over the classes (balanced)", percent(clip.balanced_accuracy), "", ""])
    if clip.shuffled_accuracy is not None:
        rows.append(["clips, their frames shuffled", percent(clip.shuffled_accuracy), "", ""])
    text = table(rows)
    if stream is not None:
        text += f"\n{table(stream_rows(evaluation))}"
    return text + _decided_text(evaluation)


def stream_rows(evaluation: Evaluation) -> list[list[str]]:
    """The stream by its highest scores, and beside it as the live rule decides it."""
    stream, decided = evaluation.stream, evaluation.decided
    assert stream is not None
    rows = [
        ["on the stream", "highest score"],
        ["right", percent(stream.accuracy)],
        ["  95 % interval", interval_said(stream.interval)],
        ["unknown", "-"],
        ["right of what is answered", "-"],
        ["  95 % interval", "-"],
    ]
    if stream.changes:
        changes = f"{stream.changes:,} changes" if stream.changes > 1 else "1 change"
        rows += [
            ["a change is followed after (median)", frames_said(stream.delay_median)],
            ["  90 % of them after", frames_said(stream.delay_p90)],
            [f"never before the next, of {changes}", f"{stream.never_followed:,}"],
        ]
    rows.append(["flickers in 1,000 frames", _tenths(stream.flickers_per_1000)])
    if decided is not None:
        beside = [
            "as decided live",
            percent(decided.accuracy),
            interval_said(decided.accuracy_interval),
            percent(decided.unknown),
            percent(decided.precision),
            interval_said(decided.precision_interval),
        ]
        if stream.changes:
            beside += [frames_said(decided.delay_median), frames_said(decided.delay_p90)]
            beside.append(f"{decided.never_followed:,}")
        beside.append(_tenths(decided.flickers_per_1000))
        rows = [[*row, more] for row, more in zip(rows, beside, strict=True)]
    return rows


def _decided_text(evaluation: Evaluation) -> str:
    """The rule, what it promised, and what other thresholds would do."""
    rule, decided = evaluation.decision, evaluation.decided
    if rule is None or decided is None:
        return ""
    if evaluation.stream is None:
        text = (
            f"\nAs decided live (threshold {rule.threshold:g}): {percent(decided.unknown)} "
            f"unknown; of the others {percent(decided.precision)} right "
            f"(95 % interval {interval_said(decided.precision_interval)}).\n"
        )
    else:
        text = (
            f"\nDecided live with smoothing {rule.smoothing:g}, hysteresis {rule.hysteresis:g}, "
            f"threshold {rule.threshold:g}, all chosen on validation.\n"
        )
    if evaluation.promise is not None:
        one = evaluation.kind.removesuffix("s")
        said = shortfall_said(evaluation.promise, decided, one)
        text += f"{said}\n" if said else ""
    rows = threshold_rows(evaluation)
    return text + (f"\n{table(rows)}" if rows else "")


def threshold_rows(evaluation: Evaluation) -> list[list[str]]:
    """A few points of the curve: those of validation, and what they do here; [] for none."""
    promise, here = evaluation.promise, evaluation.curve
    chosen = here if promise is None else promise.curve
    points = [one for share in _ANSWERED if (one := point_at(chosen, share)) is not None]
    if not points:
        return []
    rows = [["threshold", "answered", "right"]]
    if promise is not None:
        rows = [["threshold", "validation: answered", "right", "here: answered", "right"]]
    for one in dict.fromkeys(points):
        row = [f"{one.threshold:.3f}", percent(one.coverage), percent(one.precision)]
        if promise is not None:
            same = point_from(here, one.threshold)
            row += ["-", "-"] if same is None else [percent(same.coverage), percent(same.precision)]
        rows.append(row)
    return rows


def _class_table(evaluation: Evaluation) -> str:
    streamed = evaluation.stream is not None
    head = ["class", "precision", "recall", "F1", evaluation.kind]
    rows = [head + (["on the stream"] if streamed else [])]
    for one in evaluation.classes:
        row = [shown(one.label), *map(percent, (one.precision, one.recall, one.f1))]
        row.append(f"{one.support:,}")
        rows.append(row + ([percent(one.stream_accuracy)] if streamed else []))
    return table(rows)


def _confusions(evaluation: Evaluation) -> str:
    matrix = np.array(evaluation.confusion)
    names = [shown(label) for label in evaluation.labels]
    if len(names) <= _WIDEST_CONFUSION:
        rows = [["truth \\ decided", *(str(i + 1) for i in range(len(names)))]]
        for index, name in enumerate(names):
            counts = [str(count) if count else "·" for count in matrix[index].tolist()]
            rows.append([f"{index + 1:>2} {name}", *counts])
        return table(rows)
    mistakes = [
        (int(matrix[t, p]), names[t], names[p])
        for t, p in zip(*np.nonzero(matrix), strict=True)
        if t != p
    ]
    if not mistakes:
        return "No mistakes.\n"
    mistakes.sort(key=lambda mistake: -mistake[0])
    rows = [["truth → decided", evaluation.kind]]
    rows += [[f"{truth} → {said}", str(count)] for count, truth, said in mistakes[:_MISTAKES]]
    more = len(mistakes) - _MISTAKES
    return table(rows) + (f"and {more} rarer mistakes\n" if more > 0 else "")


def interval_said(interval: tuple[float | None, float | None]) -> str:
    """'62.6 to 83.9', in percent; - for 0/0."""
    low, high = interval
    return "-" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def _tenths(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def frames_said(count: int | None) -> str:
    """'1 frame', '12 frames', or never."""
    return "never" if count is None else "1 frame" if count == 1 else f"{count} frames"


def _columns(text: str) -> int:
    """Terminal columns: wide letters take two, combining marks none."""
    return sum(0 if unicodedata.combining(letter) else 2 if _wide(letter) else 1 for letter in text)


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
