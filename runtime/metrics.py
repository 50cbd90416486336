"""The streams' states as Prometheus reads them, for /metrics.

Text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from edgecrnn import __version__
from edgecrnn.runtime.status import State, Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MS = 0.001

Kind = Literal["counter", "gauge"]
# What is told of a stream: labels beside its source, and the value.
Sample = tuple[dict[str, str], float]


@dataclass(frozen=True)
class _Family:
    """One metric; `samples` gives what a stream has of it, nothing where it has none."""

    name: str
    kind: Kind
    help: str
    samples: Callable[[Status], Sequence[Sample]]


def metrics_text(statuses: Sequence[Status]) -> str:
    """All metrics of all streams; each carries its stream's `source` as a label."""
    lines: list[str] = []
    for family in _FAMILIES:
        told = [
            _line(family, status, labels, value)
            for status in statuses
            for labels, value in family.samples(status)
        ]
        if told:
            name = f"edgecrnn_{family.name}"
            lines += [f"# HELP {name} {_help(family.help)}", f"# TYPE {name} {family.kind}", *told]
    return "\n".join(lines) + "\n" if lines else ""


def _line(family: _Family, status: Status, labels: dict[str, str], value: float) -> str:
    pairs = {"source": status.source, **labels}
    written = ",".join(f'{name}="{_escaped(text)}"' for name, text in pairs.items())
    return f"edgecrnn_{family.name}{{{written}}} {float(value)!r}"


def _one(read: Callable[[Status], float | None]) -> Callable[[Status], Sequence[Sample]]:
    """The samples of a metric that a stream has one value of, or None for none."""

    def samples(status: Status) -> Sequence[Sample]:
        value = read(status)
        return [] if value is None else [({}, value)]

    return samples


def _info(status: Status) -> Sequence[Sample]:
    told = {
        "version": __version__,
        "variant": status.variant,
        "engine": status.engine,
        "delegate": status.delegate,
        "threads": str(status.threads),
    }
    return [(told, 1)]


def _states(status: Status) -> Sequence[Sample]:
    return [({"state": state}, status.state == state) for state in get_args(State)]


def _label(status: Status) -> Sequence[Sample]:
    return [] if status.label is None else [({"label": status.label}, 1)]


def _latency(status: Status) -> Sequence[Sample]:
    quantiles = (("0.5", status.p50_ms), ("0.95", status.p95_ms), ("0.99", status.p99_ms))
    return [({"quantile": q}, ms * _MS) for q, ms in quantiles if ms is not None]


def _operators(status: Status) -> Sequence[Sample]:
    return [
        ({"runs_on": "delegate"}, status.operators_taken),
        ({"runs_on": "interpreter"}, status.operators_left),
    ]


def _sink_drops(status: Status) -> Sequence[Sample]:
    return [({"sink": name}, count) for name, count in status.sink_drops.items()]


_FAMILIES = (
    _Family("info", "gauge", "What runs the model; always 1.", _info),
    _Family("up", "gauge", "Whether decisions come.", _one(lambda s: s.well)),
    _Family("state", "gauge", "1 for the state that the stream is in.", _states),
    _Family("label", "gauge", "1 for the newest decision.", _label),
    _Family("score", "gauge", "Smoothed score of the newest decision.", _one(lambda s: s.score)),
    _Family(
        "frames_total", "counter", "Frames that came from the source.", _one(lambda s: s.frames)
    ),
    _Family(
        "classified_frames_total",
        "counter",
        "Frames that a decision was made on.",
        _one(lambda s: s.classified),
    ),
    _Family(
        "paced_out_frames_total",
        "counter",
        "Frames left out to keep the rate that the model was trained at.",
        _one(lambda s: s.paced_out),
    ),
    _Family(
        "dropped_frames_total",
        "counter",
        "Frames overtaken by newer ones.",
        _one(lambda s: s.dropped),
    ),
    _Family("resets_total", "counter", "Times the stream was forgotten.", _one(lambda s: s.resets)),
    _Family(
        "reopened_total",
        "counter",
        "Times the source was opened again.",
        _one(lambda s: s.reopened),
    ),
    _Family(
        "sink_dropped_results_total", "counter", "Results that a sink did not write.", _sink_drops
    ),
    _Family("frames_per_second", "gauge", "Frames that come, of late.", _one(lambda s: s.fps_in)),
    _Family("decisions_per_second", "gauge", "Decisions made, of late.", _one(lambda s: s.fps_out)),
    _Family(
        "latency_seconds",
        "gauge",
        "From captured to published over the last minutes, by quantile.",
        _latency,
    ),
    _Family(
        "decision_age_seconds",
        "gauge",
        "Since the frame of the newest decision was captured.",
        _one(lambda s: s.age),
    ),
    _Family("operators", "gauge", "Operators of the model, by what runs them.", _operators),
    _Family("partitions", "gauge", "Pieces that a delegate took.", _one(lambda s: s.partitions)),
    _Family("start_time_seconds", "gauge", "Unix time of the start.", _one(lambda s: s.started)),
    _Family("uptime_seconds", "gauge", "Time since the start.", _one(lambda s: s.uptime)),
)


def _escaped(text: str) -> str:
    # Of a file's name that is no UTF-8.
    text = text.encode(errors="replace").decode()
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
