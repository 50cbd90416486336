"""How a stream is doing: a snapshot that any thread may ask for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# "waiting": open, but no frame of late. "hung": the model does not come back with an answer.
State = Literal["running", "warming up", "waiting", "reopening", "paused", "hung", "ended"]


@dataclass(frozen=True)
class Status:
    """One stream at one moment.

    Attributes:
        source: its name, without passwords.
        about: what was opened: format, size, rate.
        state: what it is doing.
        variant: of the bundle.
        engine: runtime package and version.
        delegate: what runs the model.
        threads: of the CPU.
        operators_taken: operators that the delegate took.
        operators_left: operators that it left.
        partitions: pieces in which it took them.
        label: of the newest decision; None before the first.
        score: its smoothed score.
        frames: that came from the source.
        classified: of them, those that a decision was made on.
        paced_out: of them, those left out to keep the model's rate.
        dropped: of them, those overtaken by newer ones, or not looked at while paused.
        resets: times that the stream so far was forgotten.
        reopened: times that the source was opened again.
        sink_drops: results not written, by the name of the sink.
        fps_in: frames a second that come, over the last seconds.
        fps_out: decisions a second, over the last seconds.
        p50_ms: latency from captured to published over the last minute or two, in ms; None where
            nothing was published.
        p95_ms: the same.
        p99_ms: the same.
        age: seconds since the frame of the newest decision was captured; None before the first.
        started: unix time in seconds at which the run began.
        uptime: seconds since then, by a clock that never jumps.
        error: the newest thing that went wrong, "" where nothing did.
    """

    source: str
    about: str
    state: State
    variant: str
    engine: str
    delegate: str
    threads: int
    operators_taken: int = 0
    operators_left: int = 0
    partitions: int = 0
    label: str | None = None
    score: float | None = None
    frames: int = 0
    classified: int = 0
    paced_out: int = 0
    dropped: int = 0
    resets: int = 0
    reopened: int = 0
    sink_drops: Mapping[str, int] = field(default_factory=dict)
    fps_in: float = 0.0
    fps_out: float = 0.0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    age: float | None = None
    started: float = 0.0
    uptime: float = 0.0
    error: str = ""

    @property
    def well(self) -> bool:
        """Whether decisions come, or would if they were not paused."""
        return self.state in ("running", "warming up", "paused")

    def facts(self) -> dict[str, Any]:
        """The same as JSON values, by the names of the fields."""
        return {**dataclasses.asdict(self), "sink_drops": dict(self.sink_drops)}

    def text(self) -> str:
        """A few lines for a person."""
        lines = [f"{self.source}: {self.state}{self._said()}"]
        operators = self.operators_taken + self.operators_left
        lines.append(
            f"  {self.about}; {self.variant} on {self.delegate} ({self.engine}), "
            f"{self.operators_taken} of {operators} operators, threads {self.threads}"
        )
        lines.append(
            f"  frames in {self.frames} ({self.fps_in:.1f}/s), classified {self.classified} "
            f"({self.fps_out:.1f}/s), left out for the model's rate {self.paced_out}, "
            f"dropped {self.dropped}, resets {self.resets}, reopened {self.reopened}"
        )
        if self.p50_ms is not None and self.p95_ms is not None and self.p99_ms is not None:
            lines.append(
                f"  captured to published p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms, "
                f"p99 {self.p99_ms:.1f} ms"
            )
        lines += [
            f"  {name}: {count} not written" for name, count in self.sink_drops.items() if count
        ]
        lines += [f"  last error: {self.error}"] if self.error else []
        return "\n".join(lines)

    def _said(self) -> str:
        if self.label is None or self.score is None or self.age is None:
            return ", nothing decided yet"
        return f", {self.label} {self.score:.0%}, on a frame {self.age:.2f} s old"
