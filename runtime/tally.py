"""Counts of a run that stay the same size however long it runs."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from edgecrnn.runtime.classifier import Result

# Upper edges in milliseconds, each 5 % above the one before: 0.01 ms to over 10 minutes.
_EDGES = [0.01 * 1.05**power for power in range(370)]


class Tally:
    """Labels and latencies of the results so far."""

    def __init__(self) -> None:
        self.classified = 0
        self.labels: dict[str, int] = {}
        self._latencies = [0] * (len(_EDGES) + 1)

    def add(self, result: Result) -> None:
        """Count one more."""
        self.classified += 1
        self.labels[result.label] = self.labels.get(result.label, 0) + 1
        self._latencies[bisect_left(_EDGES, result.latency_ms)] += 1

    def latency_ms(self, share: float) -> float | None:
        """The latency that `share` of the results did not exceed, at most 5 % too high."""
        wanted, seen = share * self.classified, 0
        for edge, count in zip(_EDGES, self._latencies, strict=False):
            seen += count
            if count and seen >= wanted:
                return edge
        return None


@dataclass(frozen=True)
class Summary:
    """What a run did.

    `frames` came from the source; of them `paced_out` were left out to keep the model's rate and
    `dropped` were overtaken by newer ones. `seconds` is wall time, `p50_ms` and `p95_ms` are
    latencies. `end` says why it ended; `lost` is the sentence where the source failed. `hung` says
    that a read of the source would not end.
    """

    frames: int
    classified: int
    paced_out: int
    dropped: int
    resets: int
    seconds: float
    p50_ms: float | None
    p95_ms: float | None
    end: str
    lost: str = ""
    hung: bool = False
    labels: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """For a person, without a line end after the last line."""
        rate = self.classified / self.seconds if self.seconds > 0 else 0.0
        counts = [f"{self.frames} frames", f"{self.classified} classified"]
        for count, what in (
            (self.paced_out, "left out for the model's rate"),
            (self.dropped, "dropped as too old"),
            (self.resets, "resets" if self.resets > 1 else "reset"),
        ):
            counts += [f"{count} {what}"] if count else []
        lines = [f"{self.end}: {', '.join(counts)} in {self.seconds:.1f} s ({rate:.1f} a second)"]
        if self.p50_ms is not None and self.p95_ms is not None:
            lines.append(f"latency p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms")
        if self.labels:
            ordered = sorted(self.labels.items(), key=lambda item: -item[1])
            lines.append("labels " + ", ".join(f"{label} {count}" for label, count in ordered))
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])
