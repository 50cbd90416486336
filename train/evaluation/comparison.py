"""Several runs on the same clips: what differs between them, and what of it is more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.train.evaluation.metrics import Ints, paired_difference
from edgecrnn.train.evaluation.result import Evaluation

_SURE = 0.05


@dataclass(frozen=True)
class PerClip:
    """Right answers and those that count, of each clip; both int64 [clips]."""

    right: Ints
    counted: Ints


@dataclass(frozen=True)
class Contender:
    """One run and what came of judging it."""

    name: str
    settings: Mapping[str, Any]  # every choice, by "group.name"
    evaluation: Evaluation
    judged_on: str  # for example "the test split"
    clips: tuple[str, ...]  # names of the judged clips
    right: npt.NDArray[np.bool_]  # [clips]
    stream: PerClip | None  # frames as decided live; None for pictures
    parameters: int
    multiply_adds: int
    history: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class Difference:
    """How much better one run is than another on the clips that both were judged on."""

    one: str
    other: str
    what: str  # clips, pictures, or the stream
    clips: int  # that both share
    points: float  # accuracy of `one` less that of `other`, in percentage points
    interval: tuple[float, float]  # 95 %, whole clips drawn in pairs
    only_one: int  # clips that `one` alone has right, or more frames of
    only_other: int

    @property
    def sign_test(self) -> float:
        """How often so uneven a split of the clips that differ is chance, 0 to 1."""
        return sign_test(self.only_one, self.only_other)

    @property
    def chance(self) -> bool:
        """Whether there may be no difference at all.

        The bootstrap is too sure where few clips differ: four of sixty, all one way, leave zero out
        of its interval. So the sign test has to agree.
        """
        within = self.interval[0] <= 0 <= self.interval[1]
        return within or self.sign_test > _SURE


def settings_that_differ(contenders: Sequence[Contender]) -> dict[str, tuple[Any, ...]]:
    """Each setting that is not the same everywhere, with its value in each run (None: unknown)."""
    names = dict.fromkeys(name for one in contenders for name in one.settings)
    values = {name: tuple(one.settings.get(name) for one in contenders) for name in names}
    return {name: said for name, said in values.items() if any(each != said[0] for each in said)}


def best_of(contenders: Sequence[Contender]) -> Contender:
    """The one with the most right clips."""
    return max(contenders, key=lambda one: one.evaluation.clip.accuracy)


def differences(contenders: Sequence[Contender], seed: int = 0) -> tuple[Difference, ...]:
    """The best run against each other one: on clips, and along the stream as it is decided live.

    The bootstrap draws clips and takes both runs' answers on each of them (paired): the clips that
    are easy or hard for both do not widen the interval.
    """
    best, found = best_of(contenders), []
    for other in contenders:
        if other is best:
            continue
        shared = _shared(best.clips, other.clips)
        kind = best.evaluation.kind
        pairs = [(kind, _each(best.right), _each(other.right))]
        if best.stream is not None and other.stream is not None:
            pairs.append(("the stream", best.stream, other.stream))
        found += [
            _difference(best.name, other.name, what, one, two, shared, seed)
            for what, one, two in pairs
        ]
    return tuple(found)


def sign_test(one: int, other: int) -> float:
    """Exact two-sided test that `one` and `other` are as likely (McNemar, 1947); 1 for none."""
    total = one + other
    rarer = sum(math.comb(total, k) for k in range(min(one, other) + 1))
    return min(1.0, 2 * rarer / 2**total)


def _each(right: npt.NDArray[np.bool_]) -> PerClip:
    return PerClip(right.astype(np.int64), np.ones(len(right), np.int64))


def _shared(one: Sequence[str], other: Sequence[str]) -> Ints:
    """Places in both of the clips that both have, int64 [shared, 2]."""
    places = {name: i for i, name in enumerate(other)}
    pairs = [(i, places[name]) for i, name in enumerate(one) if name in places]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _difference(
    one: str, other: str, what: str, mine: PerClip, theirs: PerClip, shared: Ints, seed: int
) -> Difference:
    a, b = shared.T
    right, counted = mine.right[a], mine.counted[a]
    right_too, counted_too = theirs.right[b], theirs.counted[b]
    gap, (low, high) = paired_difference((right, counted), (right_too, counted_too), seed)
    if math.isnan(gap):
        return Difference(one, other, what, 0, 0.0, (0.0, 0.0), 0, 0)
    more, less = right * counted_too, right_too * counted
    return Difference(
        one, other, what, len(a), 100 * gap, (100 * low, 100 * high),
        int((more > less).sum()), int((more < less).sum()),
    )  # fmt: skip
