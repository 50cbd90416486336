"""A measurement as a drawing (SVG), or as a page around it (HTML); made of text alone."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgecrnn.runtime.bench import Bench
from edgecrnn.runtime.bench_text import bench_text, compared_text, engine_key, title_of
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.trial_table import milliseconds

_KINDS = (".svg", ".html")
_WIDTH, _LEFT, _RIGHT = 940, 330, 740
_ROW, _CHART = 24, 90
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2937}.h{font-weight:600;font-size:15px}"
    ".s{fill:#6b7280;font-size:12px}.e{text-anchor:end}.m{text-anchor:middle}"
    ".a{fill:#2563eb}.b{fill:#93c5fd}.c{fill:#1e3a8a}.o{fill:#9ca3af}.hot{fill:#fee2e2}"
    ".w{stroke:#1e3a8a;stroke-width:2}.g{stroke:#e5e7eb}.l{fill:none;stroke:#2563eb;"
    "stroke-width:1.5}.lo{fill:none;stroke:#9ca3af;stroke-width:1.5}"
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:980px;margin:2em auto;padding:0 1em}}
svg{{width:100%;height:auto}}pre{{white-space:pre-wrap;background:#f3f4f6;padding:1em;font-size:13px}}
</style>
<h1>{title}</h1>
{drawing}
<pre>{text}</pre>
</html>
"""


def check_kind(path: Path) -> None:
    """Refuse a file of another kind.

    Raises:
        EdgecrnnError: its name ends neither with .svg nor with .html.
    """
    if path.suffix not in _KINDS:
        raise EdgecrnnError(
            f"{path}: expected a name that ends with {' or '.join(_KINDS)}, got {path.suffix!r}"
        )


def bench_page(bench: Bench, other: Bench | None, kind: str) -> str:
    """The drawing, or the page; `other` is drawn in grey beside it."""
    drawing = _drawing(bench, other)
    if kind == ".svg":
        return drawing
    text = bench_text(bench)
    if other is not None:
        text += f"\n\n{compared_text(bench, other)}"
    title = html.escape(f"{bench.facts['bundle']} on {bench.facts['machine']}")
    return _PAGE.format(title=title, drawing=drawing, text=html.escape(text))


def _drawing(bench: Bench, other: Bench | None) -> str:
    parts = [_text(20, 30, title_of(bench), "s")]
    y = 50
    if other is not None:
        parts.append(_text(20, y, f"grey: {title_of(other)}", "s"))
        y += 20
    for draw in (_engines, _loop, _heat):
        drawn, height = draw(bench, other, y)
        parts += drawn
        y += height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" '
        f'height="{y}" role="img" aria-label="what edgecrnn bench measured"><style>{_STYLE}</style>'
        f'<rect width="{_WIDTH}" height="{y}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _engines(bench: Bench, other: Bench | None, top: int) -> tuple[list[str], int]:
    """A row an engine: a bar to p50, a line on to p95, on a scale of powers of ten."""
    good = sorted((e for e in bench.engines if not e["refused"]), key=lambda e: e["p95_ms"])
    if not good:
        return [], 0
    theirs = {engine_key(e): e for e in (other.engines if other else ()) if not e["refused"]}
    shown = [*good, *(theirs[engine_key(e)] for e in good if engine_key(e) in theirs)]
    low = math.floor(math.log10(min(max(e["p50_ms"], 1e-4) for e in shown)))
    high = max(low + 1, math.ceil(math.log10(max(e["p95_ms"] for e in shown))))

    def x(value: float) -> float:
        share = (math.log10(max(value, 10.0**low)) - low) / (high - low)
        return _LEFT + share * (_RIGHT - _LEFT)

    parts = [_text(20, top + 20, "One frame of the model: median, and a line to p95", "h")]
    bottom = top + 54 + len(good) * _ROW
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts += [_line(at, top + 44, at, bottom - 6, "g")]
        parts += [_text(at, top + 40, milliseconds(10.0**power), "s m")]
    for row, one in enumerate(good):
        y = top + 50 + row * _ROW
        parts.append(_text(_LEFT - 8, y + 13, _label(one), "e"))
        match = theirs.get(engine_key(one))
        thick = 8 if match else 14
        parts.append(_bar(_LEFT, y + 2, x(one["p50_ms"]) - _LEFT, thick, "a"))
        middle = y + 2 + thick / 2
        parts.append(_line(x(one["p50_ms"]), middle, x(one["p95_ms"]), middle, "w"))
        if match:
            parts.append(_bar(_LEFT, y + 11, x(match["p50_ms"]) - _LEFT, 6, "o"))
        said = f"{milliseconds(one['p50_ms'])}, p95 {milliseconds(one['p95_ms'])}"
        parts.append(_text(_RIGHT + 8, y + 13, said, "s"))
    return parts, bottom - top


def _loop(bench: Bench, other: Bench | None, top: int) -> tuple[list[str], int]:
    """What a frame costs in the live loop, in its three parts."""
    parts = [_text(20, top + 26, "One frame of the live loop: resize, invoke, the rest", "h")]
    runs = [(bench, "this"), *([(other, "other")] if other else [])]
    most = max(run.loop["loop_ms"] for run, _ in runs) or 1.0
    for row, (run, name) in enumerate(runs):
        y, at = top + 42 + row * _ROW, float(_LEFT)
        about, loop = run.about, run.loop
        title = f"{name}: {about['variant']} on {about['delegate']}, threads {about['threads']}"
        parts.append(_text(_LEFT - 8, y + 13, title, "e"))
        rest = max(0.0, loop["loop_ms"] - loop["prepare_ms"] - loop["invoke_ms"])
        for value, kind in ((loop["prepare_ms"], "b"), (loop["invoke_ms"], "a"), (rest, "c")):
            width = value / most * (_RIGHT - _LEFT)
            parts.append(_bar(at, y + 2, width, 14, kind))
            at += width
        said = f"{milliseconds(loop['loop_ms'])}, ratio {loop['ratio']:.3f}"
        parts.append(_text(_RIGHT + 8, y + 13, said, "s"))
    return parts, 48 + len(runs) * _ROW


def _heat(bench: Bench, other: Bench | None, top: int) -> tuple[list[str], int]:
    """The run over time: ms a frame, and frequency and temperature where the machine tells."""
    samples = bench.loop["samples"]
    if len(samples) < 2:
        return [_text(20, top + 20, "", "s")], 30
    parts = [_text(20, top + 26, "The run over time", "h")]
    y, end = top + 40, samples[-1]["at"]
    for key, title in (("loop_ms", "ms a frame"), ("megahertz", "MHz"), ("celsius", "°C")):
        if any(sample[key] is None for sample in samples):
            continue
        parts += _chart(samples, key, title, y, end)
        y += _CHART + 14
    parts.append(_text(_LEFT, y + 8, "0 s", "s"))
    parts.append(_text(_RIGHT, y + 8, f"{end:.0f} s", "s e"))
    if any(sample["throttled"] for sample in samples):
        parts.append(_text(_RIGHT + 8, y - 20, "red: slowed down", "s"))
    return parts, y + 24 - top


def _chart(
    samples: Sequence[Mapping[str, Any]], key: str, title: str, top: int, end: float
) -> list[str]:
    """One curve over time, its least and greatest value beside it, slowed stretches in red."""
    values = [float(sample[key]) for sample in samples]
    low, high = min(values), max(values)
    # A curve that hardly moves is drawn as one, not as noise that fills the chart.
    room = max(high - low, 0.2 * abs(high), 1e-6)
    base = (low + high) / 2 - room / 2

    def x(at: float) -> float:
        return _LEFT + at / end * (_RIGHT - _LEFT)

    def y(value: float) -> float:
        return top + _CHART - (value - base) / room * (_CHART - 12) - 6

    parts = [_bar(x(a), top, x(b) - x(a), _CHART, "hot") for a, b in _slowed(samples)]
    points = " ".join(f"{x(s['at']):.1f},{y(v):.1f}" for s, v in zip(samples, values, strict=True))
    parts += [_line(_LEFT, top + _CHART, _RIGHT, top + _CHART, "g")]
    parts += [f'<polyline class="l" points="{points}"/>', _text(_LEFT - 8, top + 48, title, "e")]
    parts.append(_text(_RIGHT + 8, y(values[-1]) + 4, _figures(values[-1]), "s"))
    parts.append(_text(_LEFT - 8, top + 66, f"{_figures(low)} to {_figures(high)}", "s e"))
    return parts


def _slowed(samples: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """Stretches, in seconds, at whose ends the machine said that it was slowed down."""
    stretches: list[tuple[float, float]] = []
    before = 0.0
    for sample in samples:
        if sample["throttled"]:
            joined = bool(stretches) and stretches[-1][1] == before
            start = stretches.pop()[0] if joined else before
            stretches.append((start, sample["at"]))
        before = sample["at"]
    return stretches


def _figures(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _label(one: Mapping[str, Any]) -> str:
    """An engine in the width that there is: of a library its file's name."""
    delegate = one["delegate"].rpartition("/")[2]
    threads = one["threads"]
    return f"{one['variant']}, {delegate}, {one['runtime']}, {threads} t"


def _text(x: float, y: float, said: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{html.escape(said)}</text>'


def _bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    size = f'width="{max(width, 0.0):.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} class="{kind}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
