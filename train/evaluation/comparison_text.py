"""The comparison in words and rows of cells, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgecrnn.train.evaluation.comparison import Contender, Difference
from edgecrnn.train.evaluation.deciding import DecidedScores
from edgecrnn.train.evaluation.result import StreamScores
from edgecrnn.train.evaluation.text import count_said, frames_said, interval_said, percent


def short_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """The last part of each path, and as many before it as tell them apart."""
    full = [path.absolute().parts for path in paths]
    for length in range(1, max(map(len, full)) + 1):
        names = tuple("/".join(parts[-length:]) for parts in full)
        if len(set(names)) == len(names):
            return names
    return tuple(map(str, paths))


def judged_on(contenders: Sequence[Contender]) -> str:
    """One or two sentences: which clips the numbers are from."""
    first, kind = contenders[0], contenders[0].evaluation.kind
    if len({one.clips for one in contenders}) == 1:
        count = count_said(len(first.clips), kind.removesuffix("s"))
        return f"All judged on the same {count}: {first.judged_on}."
    each = "; ".join(
        f"{one.name} on {count_said(len(one.clips), kind.removesuffix('s'))}, {one.judged_on}"
        for one in contenders
    )
    return (
        f"Not all judged on the same {kind}: {each}. The differences below count those in common "
        "alone; the other numbers do not compare."
    )


def difference_said(difference: Difference) -> str:
    """One sentence."""
    if not difference.clips:
        return f"{difference.one} and {difference.other} were judged on nothing in common."
    low, high = difference.interval
    what, one = difference.what, "picture" if difference.what == "pictures" else "clip"
    on = "along the stream, as decided live" if what == "the stream" else f"on {what}"
    better, points = (difference.one, difference.other), difference.points
    if points < 0:
        better, points, low, high = better[::-1], -points, -high, -low
    counts = (difference.only_one, difference.only_other)
    tally = f"{count_said(counts[0], one)} for {difference.one}, {counts[1]} for {difference.other}"
    sure = "that may be chance" if difference.chance else "that is more than chance"
    common = f"{count_said(difference.clips, one)} in common; {tally}"
    if f"{points:.1f}" == "0.0":
        return f"{better[0]} and {better[1]} are equally right {on} ({common})."
    return (
        f"{better[0]} is {points:.1f} points above {better[1]} {on} (95 % interval {low:.1f} to "
        f"{high:.1f}, {common}): {sure}."
    )


def comparison_rows(
    contenders: Sequence[Contender], rate: float | None = None, device: str = ""
) -> list[list[str]]:
    """The numbers, one row each, one column a run; the first row names the runs.

    Args:
        contenders: at least one.
        rate: million multiply-adds a millisecond, for a time; None for no time.
        device: what has that rate.
    """
    kind = contenders[0].evaluation.kind
    rows = [["", *(one.name for one in contenders)]]

    def row(name: str, cell: Callable[[Contender], str]) -> None:
        rows.append([name, *map(cell, contenders)])

    row(f"{kind} right", lambda one: percent(one.evaluation.clip.accuracy))
    row("  95 % interval", lambda one: interval_said(one.evaluation.clip.interval))
    if all(one.evaluation.multilabel is not None for one in contenders):
        row("mean average precision", _mean_average_precision)
    if kind == "clips":
        row("  their frames shuffled", lambda one: percent(one.evaluation.clip.shuffled_accuracy))
        row("stream, highest score right", _of_stream(lambda it: percent(it.accuracy)))
        row("  95 % interval", _of_stream(lambda it: interval_said(it.interval)))
    if any(one.evaluation.decided is not None for one in contenders):
        what = "stream, as decided live, right" if kind == "clips" else "as decided live, right"
        row(what, _of_decided(lambda it: percent(it.accuracy)))
        row("  95 % interval", _of_decided(lambda it: interval_said(it.accuracy_interval)))
        row("  unknown", _of_decided(lambda it: percent(it.unknown)))
        row("  right of what is answered", _of_decided(lambda it: percent(it.precision)))
        if kind == "clips":
            row(
                "  a change is followed after", _of_decided(lambda it: frames_said(it.delay_median))
            )
            row("  flickers in 1,000 frames", _of_decided(_flickers))
    row("parameters", lambda one: f"{one.parameters:,}")
    one_of = "frame" if contenders[0].settings.get("network.sequence") == "time" else "picture"
    row(f"multiply-adds a {one_of}", lambda one: _millions(one.multiply_adds))
    if rate is not None:
        row(f"  about, on {device}", lambda one: f"{one.multiply_adds / 1e6 / rate:.2g} ms")
    return rows


def _of_stream(cell: Callable[[StreamScores], str]) -> Callable[[Contender], str]:
    return lambda one: "-" if one.evaluation.stream is None else cell(one.evaluation.stream)


def _of_decided(cell: Callable[[DecidedScores], str]) -> Callable[[Contender], str]:
    return lambda one: "-" if one.evaluation.decided is None else cell(one.evaluation.decided)


def _flickers(decided: DecidedScores) -> str:
    return "-" if decided.flickers_per_1000 is None else f"{decided.flickers_per_1000:.1f}"


def _mean_average_precision(one: Contender) -> str:
    several = one.evaluation.multilabel
    return "-" if several is None else percent(several.mean_average_precision)


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f} M"
