"""What differs between runs, and what of it is more than chance; worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgecrnn.train.evaluation.comparison import (
    Contender,
    difference_said,
    differences,
    settings_that_differ,
)
from edgecrnn.train.evaluation.result import ClipScores, Detail, Evaluation


def contender(name: str, right: list[int], first: int = 0, **settings: object) -> Contender:
    """A run judged on clips named by numbers from `first` on."""
    share = float(np.mean(right))
    clip = ClipScores(share, (0.0, 1.0), share, len(right), None)
    detail = Detail((), np.zeros(0, np.int64), None)
    evaluation = Evaluation(
        "clips", ("a", "b"), 0, 0, clip, None, (), ((0, 0), (0, 0)), None, detail
    )
    clips = tuple(str(first + i) for i in range(len(right)))
    return Contender(name, settings, evaluation, clips, np.array(right, bool), 10, 20, ())


def test_settings_that_are_not_the_same() -> None:
    runs = (
        contender("one", [1], width=1.0, seed=0),
        contender("two", [1], width=2.0, seed=0),
        contender("three", [1], seed=0),
    )
    assert settings_that_differ(runs) == {"width": (1.0, 2.0, None)}


def test_pairs_take_out_what_both_find_hard() -> None:
    hard = [0] * 30 + [1] * 30
    better = [0] * 24 + [1] * 36
    (found,) = differences((contender("one", hard), contender("two", better)))
    assert (found.one, found.other, found.clips) == ("two", "one", 60)
    assert found.points == pytest.approx(10.0)
    # Never worse on any clip: the interval stays above zero though both miss 24 clips.
    assert found.interval[0] > 0 and not found.chance
    assert "two is 10.0 points above one" in difference_said(found)
    assert difference_said(found).endswith("that is more than chance.")


def test_a_clip_here_and_there_may_be_chance() -> None:
    one, other = [1] * 20 + [0, 1], [1] * 20 + [1, 0]
    (found,) = differences((contender("one", one), contender("two", other)))
    assert found.points == 0 and found.chance
    assert difference_said(found).endswith("that may be chance.")


def test_only_clips_in_common_count() -> None:
    (found,) = differences((contender("one", [1, 1, 1, 1]), contender("two", [0, 0, 1], first=2)))
    assert found.clips == 2 and found.points == 100
    (none,) = differences((contender("one", [1, 1]), contender("two", [0], first=9)))
    assert none.clips == 0
    assert difference_said(none) == "one and two were judged on nothing in common."
