"""Counts of a run."""

from __future__ import annotations

import numpy as np

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.tally import Summary, Tally


def test_percentiles_are_at_most_5_percent_too_high() -> None:
    rng = np.random.default_rng(0)
    values = rng.lognormal(1.0, 1.0, 5000)
    tally = Tally()
    for value in values:
        tally.add(Result(0.0, 0, "a", 1.0, (1.0,), float(value)))
    for share in (0.5, 0.95, 0.99):
        exact = float(np.quantile(values, share, method="inverted_cdf"))
        found = tally.latency_ms(share)
        assert found is not None
        assert exact <= found <= exact * 1.0501
    assert Tally().latency_ms(0.5) is None


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
        end="interrupted",
        labels={"unknown": 2, "red": 98},
        notes=("clip.avi ended after 3 of 9 frames",),
    ).text()
    assert text.splitlines() == [
        "interrupted: 300 frames, 100 classified, 195 left out for the model's rate, "
        "5 dropped as too old, 1 reset in 10.0 s (10.0 a second)",
        "latency p50 2.0 ms, p95 3.0 ms",
        "labels red 98, unknown 2",
        "note: clip.avi ended after 3 of 9 frames",
    ]
