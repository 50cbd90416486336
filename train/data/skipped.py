"""Files that could not be used, and the point where there are too many of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.layout import Layout

_NAMED = 3  # files named in a sentence


@dataclass(frozen=True)
class Skipped:
    """A file left out and why, in a few words."""

    path: Path
    reason: str


def check_skipped(
    layout: Layout,
    skipped: Sequence[Skipped],
    lengths: Sequence[int],
    shortest: int,
    max_bad: float,
) -> None:
    """Raise `EdgecrnnError` where too much was skipped or a class of train has nothing left.

    Args:
        layout: what was to be decoded.
        skipped: what was left out of it.
        lengths: frames of each clip that could be decoded.
        shortest: frames that a clip must have.
        max_bad: share of the items that may be skipped.
    """
    total = len(layout.items)
    if len(skipped) > max_bad * total:
        short = sum(length < shortest for length in lengths)
        # Short clips are no fault of the files: a smaller window mends it.
        if short > max_bad * total:
            raise EdgecrnnError(_too_short(layout, lengths, shortest, short, max_bad))
        names = ", ".join(
            f"{s.path.relative_to(layout.root).as_posix()} ({s.reason})" for s in skipped[:_NAMED]
        )
        more = f" and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else ""
        raise EdgecrnnError(
            f"{layout.root}: expected at most {max_bad:.0%} bad files, got {len(skipped)} of "
            f"{total}: {names}{more}; replace or remove them"
        )
    gone = {s.path for s in skipped}
    train = [i for i in layout.items if i.split == "train"]
    left = {number for i in train if i.path not in gone for number in layout.sets[i.label]}
    for number in sorted({n for i in train for n in layout.sets[i.label]} - left):
        raise EdgecrnnError(
            f"{layout.root}: expected usable training files of every class, got none of "
            f"{layout.labels[number]!r}: all were skipped; replace them"
        )


def _too_short(
    layout: Layout, lengths: Sequence[int], shortest: int, short: int, max_bad: float
) -> str:
    # The longest window for which few enough clips are too short.
    fits = sorted(lengths)[math.floor(max_bad * len(lengths))]
    start = f"{layout.root}: expected clips of at least {shortest} frames, got {short} of "
    start += f"{len(layout.items)} that are shorter"
    return f"{start}; use --window {fits} or a higher --frame-rate, or record longer clips"
