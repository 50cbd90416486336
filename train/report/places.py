"""Who runs what on the device: a certificate's deployments in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgecrnn.train.report.page import setting_said

# What stands behind a delegate's claim.
_STATUSES = {
    "run here": "the model ran on the machine that converted, through this delegate",
    "estimated": "the compiler's own estimate: it ran nowhere",
    "unproven": "believed from documents: neither run nor estimated",
}
_UNITS = {"kib": "KiB", "mhz": "MHz", "ms": "ms"}


@dataclass(frozen=True)
class Place:
    """One delegate, and what it runs. `share` is of operators taken, in 0..1."""

    name: str
    recipe: str
    status: str
    meaning: str
    refused: str
    taken: int
    count: int
    share: float
    pieces: str
    left: str
    speed: str
    facts: tuple[tuple[str, str], ...]


def place(one: Mapping[str, Any]) -> Place:
    """One of a certificate's deployments in words."""
    taken, left = sum(one.get("taken", {}).values()), one.get("left", {})
    count = taken + sum(left.values())
    facts = dict(one.get("facts", {}))
    pieces, speed = one.get("partitions"), facts.pop("inferences_a_second", None)
    status = one.get("status", "")
    estimate = " (estimate)" if status == "estimated" else ""
    return Place(
        name=one.get("delegate", ""),
        recipe=one.get("recipe", ""),
        status="not used" if one.get("refused") else status,
        meaning="" if one.get("refused") else _STATUSES.get(status, ""),
        refused=one.get("refused", ""),
        taken=taken,
        count=count,
        share=taken / count if count else 0.0,
        pieces="" if pieces is None else ("in one piece" if pieces == 1 else f"in {pieces} pieces"),
        left=counts_said(left),
        speed="" if speed is None else f"{speed:,.0f} inferences a second{estimate}",
        facts=tuple((_words(key), value_said(value)) for key, value in facts.items()),
    )


def counts_said(counts: Mapping[str, int]) -> str:
    """'2 RESHAPE, SOFTMAX'."""
    return ", ".join(
        name if count == 1 else f"{count} {name}" for name, count in sorted(counts.items())
    )


def _words(key: str) -> str:
    """'sram_kib' as 'sram, KiB'."""
    name, _, unit = key.rpartition("_")
    return f"{name}, {_UNITS[unit]}".replace("_", " ") if unit in _UNITS else key.replace("_", " ")


def value_said(value: Any) -> str:
    """A fact's value; numbers of at most four digits behind what counts."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return setting_said(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
