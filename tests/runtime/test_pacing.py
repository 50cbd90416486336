"""Frames chosen by time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.pacing import Pace, Step, advance, starved
from edgecrnn.train.data.decode import resample

RATES = st.floats(1.0, 60.0)
TIMES = st.lists(st.floats(0.0, 3.0), min_size=1, max_size=100).map(
    lambda steps: [float(t) for t in np.cumsum(steps)]
)


def steps(times: Iterable[float], rate: float, pace: Pace | None = None) -> list[Step]:
    pace = pace or Pace()
    made = []
    for time in times:
        step, pace = advance(pace, time, rate)
        made.append(step)
    return made


def taken(times: Sequence[float], rate: float, pace: Pace | None = None) -> list[float]:
    return [t for t, step in zip(times, steps(times, rate, pace), strict=True) if step.take]


@given(st.floats(1.0, 240.0), RATES, st.floats(0.0, 1e6))
def test_the_model_gets_its_rate_or_all_there_is(source: float, rate: float, start: float) -> None:
    times = [start + i / source for i in range(400)]
    got = len(taken(times, rate)) / (400 / source)
    assert abs(got - min(source, rate)) <= 0.02 * min(source, rate) + 2 * source / 400


@given(st.sampled_from([10.0, 12.5, 15.0, 24.0, 25.0, 30.0, 50.0, 60.0]), st.floats(2.0, 30.0))
def test_it_chooses_the_frames_that_training_chooses(source: float, rate: float) -> None:
    times = [i / source for i in range(200)]
    image = np.zeros((1, 1, 3), np.uint8)
    trained = [t for t, _ in resample(((t, image) for t in times), rate)]
    chosen = taken(times, rate, Pace(interval=1 / source))
    # The last frame has no follower to be compared with.
    assert [t for t in chosen if t < times[-1]] == [t for t in trained if t < times[-1]]


@given(TIMES, RATES)
def test_never_faster_than_the_rate(times: list[float], rate: float) -> None:
    """Between two resets any stretch holds at most its ticks, and the two at its ends."""
    run: list[float] = []
    for time, step in zip(times, steps(times, rate), strict=True):
        run = [] if step.reset else run
        run += [time] if step.take else []
        for place, first in enumerate(run):
            assert len(run) - place <= (time - first) * rate + 2.001


@given(st.lists(st.floats(-0.01, 0.01), min_size=50, max_size=200))
def test_a_jittering_camera_is_thinned_evenly(jitter: list[float]) -> None:
    times = [i / 30 + j for i, j in enumerate(jitter)]
    chosen = taken(times, 10.0)
    gaps = np.diff(chosen)
    assert abs(len(chosen) - len(times) / 3) <= 2
    assert gaps.max() < 0.2


@given(TIMES, RATES)
def test_time_that_goes_back_resets(times: list[float], rate: float) -> None:
    pace = Pace()
    for time in times:
        _, pace = advance(pace, time, rate)
    assert advance(pace, pace.last - 1.0, rate)[0] == Step(take=True, reset=True)


def test_a_gap_resets_and_a_stutter_does_not() -> None:
    times = [i / 10 for i in range(20)]
    assert not any(step.reset for step in steps([*times, 2.3], 10.0))
    assert steps([*times, 2.5], 10.0)[-1].reset
    assert not any(step.reset for step in steps([2.5, 2.6, 2.7], 10.0))


def test_a_slow_source_is_not_one_gap_after_the_other() -> None:
    made = steps([i / 1.5 for i in range(60)], 10.0)
    assert all(step.take for step in made)
    assert not any(step.reset for step in made[30:])


def test_the_first_frame_is_always_taken() -> None:
    assert steps([math.pi], 10.0) == [Step(take=True, reset=False)]


def test_starved_only_where_more_than_a_fifth_is_missing() -> None:
    for source, expected in ((30.0, False), (10.0, False), (8.5, False), (7.0, True), (1.0, True)):
        pace = Pace()
        for i in range(80):
            _, pace = advance(pace, i / source, 10.0)
        assert starved(pace, 10.0) == expected, source
    assert not starved(Pace(interval=1.0, seen=3), 10.0)
