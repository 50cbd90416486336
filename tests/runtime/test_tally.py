"""Counts of a run."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import numpy as np
import pytest

from edgecrnn.runtime import tally
from edgecrnn.runtime.tally import Latencies, Rate, Summary


class Clock:
    """A monotonic clock that a test moves."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(tally, "time", made)
    yield made


def test_percentiles_are_at_most_5_percent_too_high(clock: Clock) -> None:
    rng = np.random.default_rng(0)
    values = rng.lognormal(1.0, 1.0, 5000)
    latencies = Latencies()
    for value in values:
        latencies.add(clock.now - value / 1000)
    for share in (0.5, 0.95, 0.99):
        exact = float(np.quantile(values, share, method="inverted_cdf"))
        for found in (latencies.of_all(share), latencies.of_late(share)):
            assert found is not None
            assert exact * 0.9999 <= found <= exact * 1.0502
    assert Latencies().of_all(0.5) is None


def test_what_is_told_of_late_forgets_and_the_whole_does_not(clock: Clock) -> None:
    latencies = Latencies()
    latencies.add(clock.now - 0.100)
    clock.now += 61
    latencies.add(clock.now - 0.001)
    late = latencies.of_late(0.99)
    assert late is not None and late > 90  # the minute before still counts
    clock.now += 61
    latencies.add(clock.now - 0.001)
    late = latencies.of_late(0.99)
    assert late is not None and late < 1.1
    clock.now += 200
    assert latencies.of_late(0.5) is None
    every = latencies.of_all(0.99)
    assert every is not None and every > 90


def test_a_rate_falls_to_nothing_when_no_more_come(clock: Clock) -> None:
    rate = Rate()
    assert rate.a_second() == 0.0
    for _ in range(300):
        clock.now += 0.04
        rate.add(clock.now)
    assert rate.a_second() == pytest.approx(25.0, rel=0.02)
    clock.now += 4
    assert 8 < rate.a_second() < 17
    clock.now += 5
    assert rate.a_second() == 0.0


def test_counting_takes_no_more_room_however_long_it_runs(clock: Clock) -> None:
    latencies, rate = Latencies(), Rate()

    def size() -> int:
        for _ in range(1000):
            clock.now += 0.04
            latencies.add(clock.now - 0.01)
            rate.add(clock.now)
        return len(pickle.dumps([latencies._all, latencies._now, latencies._before, rate._times]))

    sizes = [size() for _ in range(10)]
    assert sizes[-1] < 1.1 * sizes[0]


def test_the_summary_says_what_happened() -> None:
    text = Summary(
        frames=300,
        classified=100,
        paced_out=195,
        dropped=5,
        resets=1,
        seconds=10.0,
        p50_ms=2.0,
        p95_ms=3.0,
        p99_ms=4.0,
        reopened=2,
        unwritten={"mqtt://x": 3, "csv:y": 0},
        reasons={"mqtt://x": "the broker is away"},
        end="interrupted",
        labels={"unknown": 2, "red": 98},
        notes=("clip.avi ended after 3 of 9 frames",),
    ).text()
    assert text.splitlines() == [
        "interrupted: 300 frames, 100 classified, 195 left out for the model's rate, "
        "5 dropped as too old, 1 reset, 2 times reopened in 10.0 s (30.0 a second in, 10.0 out)",
        "captured to published: p50 2.0 ms, p95 3.0 ms, p99 4.0 ms",
        "labels red 98, unknown 2",
        "mqtt://x: 3 not written: the broker is away",
        "note: clip.avi ended after 3 of 9 frames",
    ]
