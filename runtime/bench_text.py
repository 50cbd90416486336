"""What `edgecrnn bench` measured, in a terminal; and two such measurements side by side."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgecrnn.runtime.bench import FORMAT, Bench
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.trial_table import milliseconds, table, trial_table


def bench_text(bench: Bench) -> str:
    """Tables for a person."""
    facts, loop, about = bench.facts, bench.loop, bench.about
    rows = [
        ("load the model, imports done", milliseconds(loop["load_ms"])),
        ("first answer", milliseconds(loop["first_ms"])),
        ("resize", milliseconds(loop["prepare_ms"])),
        ("invoke", milliseconds(loop["invoke_ms"])),
        ("resize + invoke", f"{milliseconds(loop['bare_ms'])} a frame"),
        (
            "whole loop, decode excluded",
            f"{milliseconds(loop['loop_ms'])} a frame (p95 {milliseconds(loop['loop_p95_ms'])})",
        ),
        (
            "loop / (resize + invoke)",
            f"{loop['ratio']:.3f} (quartiles {loop['ratio_low']:.3f} to {loop['ratio_high']:.3f}, "
            f"{loop['pairs']} pairs)",
        ),
        (
            "the loop's own part",
            f"{milliseconds(loop['own_ms'])} a frame, of it to the model and back "
            f"{milliseconds(loop['move_ms'])}",
        ),
        ("fresh process to first answer", f"{loop['fresh_seconds']:.2f} s"),
        ("its peak memory", f"{loop['fresh_peak_mb']:.0f} MB"),
        ("heat", heat_text(loop["samples"])),
    ]
    said = [f"{facts['machine']}; {facts['bundle']}; {facts['frames']}"]
    if bench.engines:
        said += ["", trial_table(bench.engines)]
    title = f"{about['variant']} on {about['delegate']} ({about['runs_on']}, {about['runtime']})"
    threads = about["threads"]
    said += ["", f"live loop, {title}, {threads} thread{'s' * (threads != 1)}"]
    return "\n".join([*said, *(f"  {line}" for line in table(rows, 2))])


def heat_text(samples: Sequence[Mapping[str, Any]]) -> str:
    """How the run went on: the first tenth beside the last."""
    tenth = max(1, len(samples) // 10)
    first, last = samples[:tenth], samples[-tenth:]
    seconds = samples[-1]["at"]
    before, after = (statistics.median(s["loop_ms"] for s in part) for part in (first, last))
    said = f"over {seconds:.0f} s {milliseconds(before)} to {milliseconds(after)} a frame"
    for key, unit in (("celsius", "°C"), ("megahertz", "MHz")):
        ends = [[s[key] for s in part if s[key] is not None] for part in (first, last)]
        if all(ends):
            said += f", {statistics.median(ends[0]):.0f} to {statistics.median(ends[1]):.0f} {unit}"
    if all(s["celsius"] is None and s["megahertz"] is None for s in samples):
        said += "; the machine tells neither frequency nor temperature"
    slowed = [s for s in samples if s["throttled"]]
    if slowed:
        words = sorted({word for s in slowed for word in s["throttled"]})
        said += f"; {', '.join(words)} from {slowed[0]['at']:.0f} s on"
    return said


def read_bench(path: Path) -> Bench:
    """What `edgecrnn bench --json` wrote.

    Raises:
        EdgecrnnError: it is not there or is something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise EdgecrnnError(
                f"{path}: expected a measurement of format {FORMAT}, got {values['format']}; "
                "measure again with this edgecrnn"
            )
        bench = Bench(values["facts"], values["engines"], values["about"], values["loop"])
        # Everything that is shown of it must be there.
        bench_text(bench)
        compared_text(bench, bench)
    except OSError as error:
        raise EdgecrnnError(
            f"{path}: expected what edgecrnn bench --json wrote, got {error.strerror}"
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise EdgecrnnError(
            f"{path}: expected what edgecrnn bench --json wrote, got something else "
            f"({error!s:.100})"
        ) from error
    return bench


def compared_text(ours: Bench, theirs: Bench) -> str:
    """Both side by side; the last column is theirs over ours, so above 1 is faster here."""
    rows = [("", "", "", "this", "other", "other / this")]
    other = {engine_key(one): one for one in theirs.engines if not one["refused"]}
    for one in ours.engines:
        match = other.get(engine_key(one))
        if one["refused"] or match is None:
            continue
        name = (one["variant"], one["delegate"], f"{engine_key(one)[2]}, threads {one['threads']}")
        rows.append((*name, *_beside(one["p95_ms"], match["p95_ms"])))
    if len(rows) > 1:
        rows[0] = ("engine, p95", "", "", *rows[0][3:])
    titles = {
        "load_ms": "load the model",
        "first_ms": "first answer",
        "invoke_ms": "invoke",
        "bare_ms": "resize + invoke",
        "loop_ms": "whole loop",
    }
    for key, title in titles.items():
        rows.append((title, "", "", *_beside(ours.loop[key], theirs.loop[key])))
    for key, title, unit in (
        ("fresh_seconds", "fresh process to first answer", "s"),
        ("fresh_peak_mb", "its peak memory", "MB"),
    ):
        one, match = ours.loop[key], theirs.loop[key]
        cells = (f"{one:.3g} {unit}", f"{match:.3g} {unit}", f"{match / one:.2f}")
        rows.append((title, "", "", *cells))
    heads = [f"{name}: {title_of(one)}" for name, one in (("this", ours), ("other", theirs))]
    return "\n".join([*heads, "", *table(rows, 3)])


def title_of(bench: Bench) -> str:
    """What was measured, in one line."""
    facts, about = bench.facts, bench.about
    return (
        f"{facts['machine']}; {facts['bundle']}, {about['variant']} on {about['delegate']}, "
        f"threads {about['threads']}; {facts['frames']}; {facts['date'][:10]}"
    )


def engine_key(one: Mapping[str, Any]) -> tuple[str, str, str, int]:
    """An engine as it is found again: the package without its version."""
    return one["variant"], one["delegate"], one["runtime"].split(" ")[0], one["threads"]


def _beside(one: float, other: float) -> tuple[str, str, str]:
    return milliseconds(one), milliseconds(other), f"{other / one:.2f}" if one else ""
