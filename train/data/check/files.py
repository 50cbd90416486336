"""What is wrong with single files: broken, short, of another size or rate, blank."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.check.finding import Entry, Finding, counted
from edgecrnn.train.data.check.reading import Reading
from edgecrnn.train.data.decode import resample
from edgecrnn.train.data.layout import Layout
from edgecrnn.train.data.skipped import Skipped, check_skipped
from edgecrnn.train.data.store import DataSettings

_OTHER_SHAPE = 1.15  # ratio of aspects from which a frame is another shape
_MUCH_SMALLER = 0.5  # of the usual width or height
_OTHER_RATE = 0.1  # share of the usual rate
_BLANK = 0.1  # share of a clip's frames
_FEW = 0.2  # share of the files up to which they are the odd ones


def file_findings(
    layout: Layout, readings: Sequence[Reading], rate: float | None, settings: DataSettings
) -> tuple[Finding, ...]:
    """Findings on single files.

    Args:
        layout: the folder.
        readings: one for each of its items.
        rate: frames a second that clips are resampled to; None for pictures.
        settings: the shortest clip, and the share of bad files that training bears.
    """
    whole = [reading for reading in readings if not reading.error]
    bad = [reading for reading in readings if reading.error]
    lengths = [frames_resampled(reading, rate) for reading in whole]
    short = [
        (count, reading)
        for count, reading in zip(lengths, whole, strict=True)
        if layout.kind == "clips" and count < settings.shortest
    ]
    clipped = [reading for _, reading in short]

    def refused(left_out: Sequence[Reading]) -> bool:
        return _refused(layout, left_out, lengths, settings)

    # Each may be few enough for itself and both too many.
    both = refused([*bad, *clipped]) and not refused(bad) and not refused(clipped)
    found = [_broken(layout, bad, both or refused(bad))]
    if layout.kind == "clips":
        found.append(_short(layout, short, lengths, rate, settings, both or refused(clipped)))
        found += [_slow(layout, whole, rate), _other_rates(layout, whole, rate)]
        found.append(_frozen(layout, whole))
    found += [_blank(layout, whole), *_sizes(layout, whole)]
    return tuple(finding for finding in found if finding is not None)


def _refused(
    layout: Layout, left_out: Sequence[Reading], lengths: Sequence[int], settings: DataSettings
) -> bool:
    """Whether training refuses the folder where these files are left out of it."""
    skipped = [Skipped(reading.item.path, reading.error) for reading in left_out]
    try:
        check_skipped(layout, skipped, lengths, settings.shortest, settings.max_bad)
    except EdgecrnnError:
        return True
    return False


def frames_resampled(reading: Reading, rate: float | None) -> int:
    """Frames of a clip at `rate`; a folder of numbered pictures keeps all."""
    if rate is None or reading.item.path.is_dir():
        return len(reading.times)
    return sum(1 for _ in resample(((time, None) for time in reading.times), rate))


def _entry(layout: Layout, reading: Reading, said: str) -> Entry:
    return Entry((layout.name(reading.item),), said)


def _broken(layout: Layout, bad: Sequence[Reading], refused: bool) -> Finding | None:
    if not bad:
        return None
    return Finding(
        "broken",
        "serious" if refused else "warning",
        f"{counted(len(bad), 'file')} cannot be decoded"
        + (": training refuses the folder" if refused else ""),
        "copy them again from where they came, or delete them; training skips a few",
        tuple(_entry(layout, r, r.error) for r in bad),
    )


def _short(
    layout: Layout,
    short: Sequence[tuple[int, Reading]],
    lengths: Sequence[int],
    rate: float | None,
    settings: DataSettings,
    refused: bool,
) -> Finding | None:
    if not short:
        return None
    fits = sorted(lengths)[math.floor(settings.max_bad * len(lengths))]
    at = "" if rate is None else f" at {rate:g} frames a second"
    return Finding(
        "short",
        "serious" if refused else "warning",
        f"{counted(len(short), 'clip')} shorter than a window of {settings.shortest} frames{at}"
        + (": training refuses the folder" if refused else ": training skips them"),
        f"use --window {fits} or a higher --frame-rate, or record longer"
        if refused and 1 < fits < settings.shortest
        else "record longer, or use a smaller --window",
        tuple(_entry(layout, reading, counted(count, "frame")) for count, reading in short),
    )


def _slow(layout: Layout, whole: Sequence[Reading], rate: float | None) -> Finding | None:
    """Clips that cannot be brought up to the rate."""
    if rate is None:
        return None
    slow = [r for r in whole if r.rate and r.rate < rate * (1 - _OTHER_RATE)]
    if not slow:
        return None
    least = min(r.rate for r in slow if r.rate)
    return Finding(
        "slow",
        "warning",
        f"{counted(len(slow), 'clip')} recorded slower than the {rate:g} frames a second of "
        "training: what moves looks faster in them",
        f"train with --frame-rate {least:g}, or record them anew",
        tuple(_entry(layout, r, f"{r.rate:g} frames a second") for r in slow),
    )


def _other_rates(layout: Layout, whole: Sequence[Reading], rate: float | None) -> Finding | None:
    rates = [r.rate for r in whole if r.rate]
    if not rates or rate is None:
        return None
    usual = statistics.median(rates)
    other = [r for r in whole if r.rate and abs(r.rate / usual - 1) > _OTHER_RATE]
    # Slow ones are told of already.
    other = [r for r in other if r.rate and r.rate >= rate * (1 - _OTHER_RATE)]
    if not other:
        return None
    return Finding(
        "rates",
        "note",
        f"{counted(len(other), 'clip')} at another rate than the usual {usual:g} frames a second",
        f"nothing: all are resampled to {rate:g}",
        tuple(_entry(layout, r, f"{r.rate:g} frames a second") for r in other),
    )


def _blank(layout: Layout, whole: Sequence[Reading]) -> Finding | None:
    blank = [r for r in whole if r.blank >= (_BLANK if len(r.times) > 1 else 1)]
    if not blank:
        return None
    one = layout.kind.removesuffix("s")
    what = "of one colour" if one == "picture" else "with black frames or frames of one colour"
    return Finding(
        "blank",
        "warning",
        f"{counted(len(blank), one)} {what}",
        "look at them: a covered lens or a camera that was still starting teaches nothing; "
        "delete them, or keep them on purpose in a class of their own",
        tuple(_entry(layout, r, f"{r.blank:.0%} of {len(r.times)}" if one == "clip" else "")
              for r in blank),
    )  # fmt: skip


def _frozen(layout: Layout, whole: Sequence[Reading]) -> Finding | None:
    frozen = [r for r in whole if r.frozen and r.blank < 1]
    if not frozen:
        return None
    return Finding(
        "frozen",
        "note",
        f"{counted(len(frozen), 'clip')} in which nothing changes at all, not even noise",
        "a still picture saved as a clip, or a camera that hung; delete those that are no "
        "recording of something that stands still",
        tuple(_entry(layout, r, counted(len(r.times), "frame")) for r in frozen),
    )


def _sizes(layout: Layout, whole: Sequence[Reading]) -> list[Finding | None]:
    if not whole:
        return []
    (width, height), _ = Counter((r.width, r.height) for r in whole).most_common(1)[0]

    def shape(reading: Reading) -> float:
        ratio = reading.width / reading.height / (width / height)
        return max(ratio, 1 / ratio)

    other = [r for r in whole if shape(r) > _OTHER_SHAPE]
    small = [
        r for r in whole if r.width < _MUCH_SMALLER * width and r.height < _MUCH_SMALLER * height
    ]
    changing = [r for r in whole if r.sizes > 1]
    usual = f"the usual {width}x{height}"
    return [
        _size(layout, other, f"of another shape than {usual}: stretching distorts them",
              "train with --fit crop or --fit pad, or crop them to one shape"),
        _size(layout, small, f"less than half as large as {usual}",
              "record them at the size of the others: they are blurred when enlarged"),
        _size(layout, changing, "in which the frame's size changes",
              "cut them where it does, or record them anew"),
    ]  # fmt: skip


def _size(layout: Layout, odd: Sequence[Reading], what: str, remedy: str) -> Finding | None:
    if not odd:
        return None
    few = len(odd) <= _FEW * len(layout.items)
    return Finding(
        "sizes",
        "warning" if few else "note",
        f"{counted(len(odd), layout.kind.removesuffix('s'))} {what}",
        remedy,
        tuple(_entry(layout, r, f"{r.width}x{r.height}") for r in odd),
    )
