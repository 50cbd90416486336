"""How late frames are, by their stamps."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from edgecrnn.runtime.freshness import Freshness


def lateness(stamps: Iterable[float], times: Iterable[float]) -> list[float]:
    freshness = Freshness()
    return [freshness.late(s, t) for s, t in zip(stamps, times, strict=True)]


def test_a_steady_stream_is_never_late() -> None:
    frames = range(1000)
    assert max(lateness([i / 25 for i in frames], [7 + i / 25 for i in frames])) < 1e-9


def test_after_a_stall_each_frame_is_late_until_it_has_caught_up() -> None:
    stamps = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    times = [0.0, 0.5, 2.5, 2.5, 2.5, 2.6]
    assert lateness(stamps, times) == pytest.approx([0, 0, 1.5, 1.0, 0.5, 0.1])


def test_a_stream_that_stays_behind_stays_late() -> None:
    frames = range(1, 100)
    late = lateness([0, *(i / 25 for i in frames)], [0, *(3 + i / 25 for i in frames)])
    assert late[1:] == pytest.approx([3.0] * 99)


def test_frames_that_were_lost_make_nothing_late() -> None:
    assert lateness([0, 0.04, 3.0, 3.04], [0, 0.04, 3.0, 3.04])[-1] == pytest.approx(0)


def test_a_clock_that_runs_slow_adds_up_to_nothing() -> None:
    frames = range(10_000)
    assert max(lateness([i / 25 for i in frames], [i / 20 for i in frames])) == 0.0


def test_jitter_adds_up_to_nothing() -> None:
    frames = range(1000)
    times = [i / 25 + (0.3 if i % 50 == 0 else 0.0) for i in frames]
    assert max(lateness([i / 25 for i in frames], times)) == 0.0


def test_a_clock_set_anew_and_no_stamps_tell_nothing() -> None:
    assert lateness([5.0, 5.04, 0.0, 0.04], [0.0, 0.04, 2.0, 2.04])[2:] == [0.0, 0.0]
    assert lateness([0.0] * 4, [0.0, 1.0, 4.0, 9.0]) == [0.0] * 4


def test_a_slow_stream_is_judged_by_its_own_pace() -> None:
    assert lateness([0, 2, 4, 6], [0, 2.1, 4.0, 6.1]) == pytest.approx([0, 0.1, 0, 0.1])


def test_what_comes_sooner_than_it_was_made_had_been_kept() -> None:
    freshness = Freshness()
    hurries = []
    for stamp, came in ((0.0, 5.0), (0.04, 5.01), (0.08, 5.02), (0.12, 5.05), (0.16, 5.09)):
        freshness.late(stamp, came)
        hurries.append(freshness.hurries)
    assert hurries == [True, True, True, False, False]
