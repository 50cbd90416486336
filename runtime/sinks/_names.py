"""Names of files and topics made of labels and sources."""

from __future__ import annotations

_LONGEST = 40


def slug(text: str) -> str:
    """Letters, digits, dot and minus of `text`, everything else as one underscore; never empty."""
    kept = "".join(letter if letter.isalnum() or letter in ".-" else " " for letter in text)
    return "_".join(kept.split())[:_LONGEST].strip(".") or "_"
