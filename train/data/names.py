"""How file names are ordered, and which of them are parts of one recording."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")
_MARKER = re.compile(
    r"""(?: [ _-]rev                       # the same clip played backwards
          | [ _-]part[ _-]?\d+             # clip_part2
          | [ _-]+\(?\d+[ ]?of[ ]?\d+\)?   # clip-2 of 5
          | _[sw]\d+                       # clip_s3, clip_w3: a window of a longer clip
        )$""",
    re.VERBOSE | re.IGNORECASE,
)


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Sort key that puts 'frame9' before 'frame10'; ties are broken by the name itself."""
    parts = _DIGITS.split(name)
    # Odd places are digit runs: (number, "") and (-1, text) keep the tuples comparable.
    key = [(int(p), "") if i % 2 else (-1, p) for i, p in enumerate(parts)]
    return (*key, (-1, name))


def recording(stem: str) -> str | None:
    """The recording that a file is marked as a part of, or None where it carries no marker.

    The one rule of the project: the markers '_rev', '_partN', '-N of M', '_sN' and '_wN' at
    the end of a stem are taken off, as many as there are; 'gate0_w2_rev' is a part of 'gate0'.
    """
    base = stem
    while (shorter := _MARKER.sub("", base)) and shorter != base:
        base = shorter
    return base if base != stem else None
