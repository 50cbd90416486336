"""Texts of others, fit for a terminal and for a protocol of lines."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with a ? for what would move a cursor or end a line: its writer is somebody else."""
    return "".join(each if each.isprintable() else "?" for each in text)
