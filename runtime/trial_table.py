"""What was tried, as a table in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from edgecrnn.runtime.trial import Trial

_HEAD = ("variant", "delegate", "runtime", "threads", "load", "first", "p50", "p95", "p99", "peak")
_TEXTS = 3  # columns that read from the left


def trial_table(trials: Sequence[Trial]) -> str:
    """One row a candidate, the fastest first; below, why the others cannot be used here."""
    good = sorted((one for one in trials if not one.refused), key=lambda one: one.p95_ms)
    rows = [_HEAD, *(_row(one) for one in good)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < _TEXTS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    if not good:
        lines = []
    refused: dict[str, list[str]] = {}
    for one in trials:
        if one.refused:
            refused.setdefault(one.refused, []).append(one.candidate.variant)
    lines += [f"not used ({', '.join(dict.fromkeys(v))}): {why}" for why, v in refused.items()]
    return "\n".join(lines)


def _row(one: Trial) -> tuple[str, ...]:
    times = (one.load_ms, one.first_ms, one.p50_ms, one.p95_ms, one.p99_ms)
    return (
        one.candidate.variant,
        one.candidate.title,
        str(one.about.get("runtime", "")),
        str(one.threads),
        *(f"{value:.3g} ms" if value < 10 else f"{value:.0f} ms" for value in times),
        f"{one.peak_mb:.0f} MB",
    )
