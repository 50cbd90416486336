"""One thing that was found in a data folder, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass

# Serious: a score cannot be trusted, or training stops. Warning: it gets worse than need be.
SEVERITIES = ("serious", "warning", "note")


@dataclass(frozen=True)
class Entry:
    """A file, or files that belong together, and a few words on them."""

    files: tuple[str, ...]  # paths below the folder
    said: str = ""


@dataclass(frozen=True)
class Finding:
    """Something found."""

    kind: str  # a short name for machines
    severity: str  # one of SEVERITIES
    title: str  # what was found, without a full stop
    remedy: str  # what to do
    entries: tuple[Entry, ...] = ()


def counted(count: int, one: str) -> str:
    """'1 file' or '1,200 files'."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def listed(names: list[str], most: int = 6) -> str:
    """Some names joined, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
