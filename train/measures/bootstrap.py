"""How sure a measure is: the same over pictures drawn again and again (Efron, 1979)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_LOW, _HIGH = 2.5, 97.5  # percentiles: 95 % lie between
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Gain:
    """How much more one has than the other, picture by picture, with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def wins(self) -> bool:
        """Whether it is more than chance."""
        return self.low > 0.0


def resampled(
    statistic: Callable[[Indices], float], count: int, seed: int = 0, draws: int = 400
) -> tuple[float, float]:
    """The 95 % percentile interval of a statistic over `count` pictures.

    Args:
        statistic: of the pictures with these indices, one of which may stand there several times.
        count: how many pictures there are.
        seed: of the draws.
        draws: how many.
    """
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, count, count)) for _ in range(draws)]
    low, high = np.percentile(values, (_LOW, _HIGH))
    return float(low), float(high)


def gain(
    ours: Callable[[Indices], float],
    theirs: Callable[[Indices], float],
    count: int,
    seed: int = 0,
    draws: int = 400,
) -> Gain:
    """How much more `ours` has than `theirs` over the same draws of pictures."""

    def difference(chosen: Indices) -> float:
        return ours(chosen) - theirs(chosen)

    low, high = resampled(difference, count, seed, draws)
    return Gain(difference(np.arange(count)), low, high)


def paired_gain(ours: Sequence[float], theirs: Sequence[float], seed: int = 0) -> Gain:
    """The same for measures that are means over pictures."""
    apart = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    return gain(lambda chosen: float(apart[chosen].mean()), lambda chosen: 0.0, len(apart), seed)
