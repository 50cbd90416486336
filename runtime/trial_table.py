"""What was tried, as a table in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]

_HEAD = ("variant", "delegate", "runtime", "threads", "load", "first", "p50", "p95", "p99", "peak")
_TEXTS = 3  # columns that read from the left


def trial_table(engines: Sequence[Facts]) -> str:
    """One row an engine, the fastest first; below, why the others cannot be used here.

    Args:
        engines: what `Trial.facts` gave.
    """
    good = sorted((one for one in engines if not one["refused"]), key=lambda one: one["p95_ms"])
    lines = table([_HEAD, *(_row(one) for one in good)], _TEXTS) if good else []
    refused: dict[str, list[str]] = {}
    for one in engines:
        if one["refused"]:
            refused.setdefault(one["refused"], []).append(one["variant"])
    lines += [f"not used ({', '.join(dict.fromkeys(v))}): {why}" for why, v in refused.items()]
    return "\n".join(lines)


def table(rows: Sequence[Sequence[str]], texts: int) -> list[str]:
    """Lines whose columns stand below each other; the first `texts` read from the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def milliseconds(value: float) -> str:
    """Three figures: 0.0689 ms, 1.29 ms, 89 ms."""
    return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"


def _row(one: Facts) -> tuple[str, ...]:
    times = ("load_ms", "first_ms", "p50_ms", "p95_ms", "p99_ms")
    return (
        one["variant"],
        one["delegate"],
        one["runtime"],
        str(one["threads"]),
        *(milliseconds(one[name]) for name in times),
        f"{one['peak_mb']:.0f} MB",
    )
