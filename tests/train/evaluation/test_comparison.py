"""What differs between runs, and what of it is more than chance; worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecrnn.train.evaluation.comparison import (
    Contender,
    PerClip,
    differences,
    settings_that_differ,
    sign_test,
)
from edgecrnn.train.evaluation.comparison_text import (
    comparison_rows,
    difference_said,
    judged_on,
    short_names,
)
from edgecrnn.train.evaluation.result import ClipScores, Detail, Evaluation


def contender(
    name: str,
    right: list[int],
    first: int = 0,
    stream: PerClip | None = None,
    **settings: object,
) -> Contender:
    """A run judged on clips named by numbers from `first` on."""
    share = float(np.mean(right))
    clip = ClipScores(share, (0.0, 1.0), share, len(right), None)
    detail = Detail((), np.zeros(0, np.int64), None)
    evaluation = Evaluation(
        "clips", ("a", "b"), 0, 0, clip, None, (), ((0, 0), (0, 0)), None, detail
    )
    clips = tuple(str(first + i) for i in range(len(right)))
    return Contender(
        name, settings, evaluation, "the test split", clips, np.array(right, bool), stream,
        10, 20_000_000, (),
    )  # fmt: skip


def test_settings_that_are_not_the_same() -> None:
    runs = (
        contender("one", [1], width=1.0, seed=0),
        contender("two", [1], width=2.0, seed=0),
        contender("three", [1], seed=0),
    )
    assert settings_that_differ(runs) == {"width": (1.0, 2.0, None)}


def test_pairs_take_out_what_both_find_hard() -> None:
    hard = [0] * 30 + [1] * 30
    better = [0] * 24 + [1] * 36  # six more, none less: p = 0.031
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
    said = "one and two are equally right on clips (22 clips in common; 1 clip for one, 1 for two)."
    assert difference_said(found).startswith(said)


def test_few_clips_one_way_are_no_proof() -> None:
    """Four of sixty leave zero out of the bootstrap's interval; a coin falls so often enough."""
    (found,) = differences(
        (contender("one", [0] * 30 + [1] * 30), contender("two", [0] * 26 + [1] * 34))
    )
    assert found.interval[0] > 0 and found.sign_test == 0.125 and found.chance


@pytest.mark.parametrize(
    ("one", "other", "chance"),
    [(0, 0, 1.0), (1, 1, 1.0), (0, 5, 0.0625), (5, 0, 0.0625), (2, 8, 0.109375), (0, 6, 0.03125)],
)
def test_the_sign_test_by_hand(one: int, other: int, chance: float) -> None:
    """2 * sum of C(n, k) / 2^n for k up to the rarer: (1 + 10 + 45) / 512 for 2 of 10."""
    assert sign_test(one, other) == pytest.approx(chance)


def test_the_stream_is_compared_by_its_clips() -> None:
    counted = np.full(20, 10)
    best = PerClip(np.full(20, 9), counted)
    other = PerClip(np.full(20, 7), counted)
    runs = (contender("one", [1] * 20, stream=best), contender("two", [1] * 20, stream=other))
    clips, stream = differences(runs)
    assert (clips.what, stream.what) == ("clips", "the stream")
    assert stream.points == pytest.approx(20.0) and stream.only_one == 20
    assert not stream.chance
    assert "along the stream, as decided live" in difference_said(stream)


def test_names_are_as_long_as_they_have_to_be(tmp_path: Path) -> None:
    assert short_names([tmp_path / "a", tmp_path / "b"]) == ("a", "b")
    assert short_names([tmp_path / "x" / "run", tmp_path / "y" / "run"]) == ("x/run", "y/run")


def test_what_was_judged_is_said() -> None:
    same = (contender("one", [1, 0]), contender("two", [1, 1]))
    assert judged_on(same) == "All judged on the same 2 clips: the test split."
    assert "do not compare" in judged_on((same[0], contender("two", [1], first=1)))


def test_a_measured_board_gives_a_time() -> None:
    runs = (contender("one", [1]), contender("two", [0]))
    rows = {row[0].strip(): row[1:] for row in comparison_rows(runs, 10.0, "a board")}
    assert rows["about, on a board"] == ["2 ms", "2 ms"]
    assert "about, on a board" not in {row[0].strip() for row in comparison_rows(runs)}


def test_only_clips_in_common_count() -> None:
    (found,) = differences((contender("one", [1, 1, 1, 1]), contender("two", [0, 0, 1], first=2)))
    assert found.clips == 2 and found.points == 100
    (none,) = differences((contender("one", [1, 1]), contender("two", [0], first=9)))
    assert none.clips == 0
    assert difference_said(none) == "one and two were judged on nothing in common."
