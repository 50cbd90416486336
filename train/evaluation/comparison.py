"""Several runs on the same clips: what differs between them, and what of it is more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.train.evaluation.result import Evaluation

_BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Contender:
    """One run and what came of judging it."""

    name: str
    settings: Mapping[str, Any]  # every choice, by "group.name"
    evaluation: Evaluation
    clips: tuple[str, ...]  # names of the judged clips
    right: npt.NDArray[np.bool_]  # [clips]
    parameters: int
    multiply_adds: int
    history: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class Difference:
    """How much better one run is than another on the clips that both were judged on."""

    one: str
    other: str
    clips: int  # that both share
    points: float  # accuracy of `one` less that of `other`, in percentage points
    interval: tuple[float, float]  # 95 %, whole clips drawn in pairs

    @property
    def chance(self) -> bool:
        """Whether there may be no difference at all."""
        return self.interval[0] <= 0 <= self.interval[1]


def settings_that_differ(contenders: Sequence[Contender]) -> dict[str, tuple[Any, ...]]:
    """Each setting that is not the same everywhere, with its value in each run (None: unknown)."""
    names = dict.fromkeys(name for one in contenders for name in one.settings)
    values = {name: tuple(one.settings.get(name) for one in contenders) for name in names}
    return {name: said for name, said in values.items() if any(each != said[0] for each in said)}


def differences(contenders: Sequence[Contender], seed: int = 0) -> tuple[Difference, ...]:
    """Each run against the one with the most right clips.

    The bootstrap draws clips and takes both runs' answers on each of them (paired): the clips that
    are easy or hard for both do not widen the interval.
    """
    best = max(contenders, key=lambda one: one.evaluation.clip.accuracy)
    return tuple(_difference(best, one, seed) for one in contenders if one is not best)


def _difference(one: Contender, other: Contender, seed: int) -> Difference:
    places = {name: i for i, name in enumerate(other.clips)}
    shared = [(i, places[name]) for i, name in enumerate(one.clips) if name in places]
    if not shared:
        return Difference(one.name, other.name, 0, 0.0, (0.0, 0.0))
    mine, theirs = np.array(shared).T
    gained = one.right[mine].astype(np.float64) - other.right[theirs]
    drawn = np.random.default_rng(seed).integers(0, len(gained), (_BOOTSTRAPS, len(gained)))
    low, high = np.quantile(gained[drawn].mean(axis=1), (0.025, 0.975))
    return Difference(
        one.name,
        other.name,
        len(gained),
        100 * float(gained.mean()),
        (100 * float(low), 100 * float(high)),
    )


def difference_said(difference: Difference) -> str:
    """One sentence."""
    if not difference.clips:
        return f"{difference.one} and {difference.other} were judged on nothing in common."
    low, high = difference.interval
    sure = "may be chance" if difference.chance else "is more than chance"
    return (
        f"{difference.one} is {difference.points:.1f} points above {difference.other} "
        f"(95 % interval {low:.1f} to {high:.1f}, {difference.clips} in common): that {sure}."
    )
