"""Counts of a stream that stay the same size however long it runs."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

# Upper edges in milliseconds, each 5 % above the one before: 0.01 ms to over 10 minutes.
_EDGES = [0.01 * 1.05**power for power in range(370)]
_WINDOW = 60.0  # seconds; what is told of late covers one to two of them
_SECONDS = 8.0  # seconds that a rate is taken over, or the last 256 events where they are fewer


class Rate:
    """Events a second of late; written by one thread, read by any."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=256)
        self.add = self._times.append  # the monotonic time of an event

    def a_second(self) -> float:
        """How many a second; falls to 0 when no more come."""
        now = time.monotonic()
        late = [moment for moment in self._times.copy() if now - moment <= _SECONDS]
        return (len(late) - 1) / max(now - late[0], 1e-6) if len(late) > 1 else 0.0


class Latencies:
    """From captured to published: over the whole run, and over the last minute or two.

    Written by one thread, read by any.
    """

    def __init__(self) -> None:
        self._all = [0] * (len(_EDGES) + 1)
        self._now, self._before = list(self._all), list(self._all)
        self._turned = time.monotonic()

    def add(self, captured: float) -> None:
        """Count one frame, captured at that monotonic time and published now."""
        now = time.monotonic()
        if now - self._turned >= _WINDOW:
            late = now - self._turned >= 2 * _WINDOW
            self._before = [0] * len(self._all) if late else self._now
            self._now = [0] * len(self._all)
            self._turned = now
        place = bisect_left(_EDGES, 1000.0 * (now - captured))
        self._all[place] += 1
        self._now[place] += 1

    def of_all(self, share: float) -> float | None:
        """The latency in ms that `share` of all did not exceed, at most 5 % too high."""
        return _quantile(self._all, share)

    def of_late(self, share: float) -> float | None:
        """The same of the last minute or two; None where nothing was published."""
        if time.monotonic() - self._turned >= 2 * _WINDOW:
            return None
        both = [a + b for a, b in zip(self._now, self._before, strict=True)]
        return _quantile(both, share)


def _quantile(counts: Sequence[int], share: float) -> float | None:
    wanted, seen = share * sum(counts), 0
    for edge, count in zip(_EDGES, counts, strict=False):
        seen += count
        if count and seen >= wanted:
            return edge
    return None


@dataclass(frozen=True)
class Summary:
    """What a run did with one source.

    `frames` came from the source; of them `paced_out` were left out to keep the model's rate and
    `dropped` were overtaken by newer ones. `seconds` is wall time; `p50_ms`, `p95_ms`, `p99_ms`
    are from captured to published. `end` says why it ended; `lost` is the sentence where the
    source failed. `hung` says that a read of the source would not end. `unwritten` counts results
    that a sink did not write, by its name, and `reasons` say why.
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
    p99_ms: float | None = None
    reopened: int = 0
    unwritten: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    source: str = ""

    def text(self) -> str:
        """For a person, without a line end after the last line."""
        rate = self.classified / self.seconds if self.seconds > 0 else 0.0
        came = self.frames / self.seconds if self.seconds > 0 else 0.0
        counts = [f"{self.frames} frame{'s' * (self.frames != 1)}", f"{self.classified} classified"]
        for count, what in (
            (self.paced_out, "left out for the model's rate"),
            (self.dropped, "dropped as too old"),
            (self.resets, "resets" if self.resets > 1 else "reset"),
            (self.reopened, "times reopened" if self.reopened > 1 else "time reopened"),
        ):
            counts += [f"{count} {what}"] if count else []
        named = f"{self.source}: " if self.source else ""
        lines = [
            f"{named}{self.end}: {', '.join(counts)} in {self.seconds:.1f} s "
            f"({came:.1f} a second in, {rate:.1f} out)"
        ]
        if self.p50_ms is not None and self.p95_ms is not None and self.p99_ms is not None:
            lines.append(
                f"captured to published: p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms, "
                f"p99 {self.p99_ms:.1f} ms"
            )
        if self.labels:
            ordered = sorted(self.labels.items(), key=lambda item: -item[1])
            lines.append("labels " + ", ".join(f"{label} {count}" for label, count in ordered))
        for name, count in self.unwritten.items():
            why = f": {self.reasons[name]}" if self.reasons.get(name) else ""
            lines += [f"{name}: {count} not written{why}"] if count else []
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)
