"""The numbers, as functions of plain arrays. 0/0 is NaN everywhere: nothing was asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# Resamples drawn at once; bounds the memory of the bootstrap.
_BLOCK = 64


@dataclass(frozen=True)
class PerClass:
    """One value a class; float64 [classes], NaN where it is 0/0."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Ints


def confusion_matrix(truth: Ints, predicted: Ints, classes: int) -> Ints:
    """int64 [classes, classes]: rows the truth, columns the prediction.

    Args:
        truth: int64 [n], each 0 to classes - 1.
        predicted: int64 [n], likewise.
        classes: how many there are.
    """
    flat = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def per_class(confusion: Ints) -> PerClass:
    """Precision, recall and F1 of each class.

    A class that was never predicted has no precision, one that never occurs no recall, and one
    that does neither no F1: NaN.
    """
    right = np.diagonal(confusion).astype(np.float64)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    return PerClass(
        precision=_divide(right, predicted),
        recall=_divide(right, support),
        f1=_divide(2 * right, support + predicted),
        support=support,
    )


def accuracy(confusion: Ints) -> float:
    """Share of right answers; NaN where there are none at all."""
    return float(_divide(np.trace(confusion), confusion.sum()))


def balanced_accuracy(confusion: Ints) -> float:
    """Mean recall of the classes that occur; NaN where none does."""
    occurs = confusion.sum(axis=1) > 0
    return float(per_class(confusion).recall[occurs].mean()) if occurs.any() else math.nan


def bootstrap_interval(
    right: npt.NDArray[Any],
    counted: npt.NDArray[Any],
    seed: int,
    level: float = 0.95,
    resamples: int = 2000,
) -> tuple[float, float]:
    """Percentile interval of sum(right) / sum(counted), whole clips drawn with replacement.

    Frames of one clip hang together, so clips are what is drawn.

    Args:
        right: [clips], right answers of each clip.
        counted: [clips], answers counted of each clip; 1 for clip accuracy.
        seed: of the draws.
        level: share of the resamples inside.
        resamples: how many.

    Returns:
        (low, high); NaN where nothing is counted.
    """
    if not np.sum(counted) > 0:
        return (math.nan, math.nan)
    random = np.random.default_rng(seed)
    n = len(right)
    values = []
    for start in range(0, resamples, _BLOCK):
        drawn = random.integers(0, n, (min(_BLOCK, resamples - start), n))
        values.append(_divide(right[drawn].sum(axis=1), counted[drawn].sum(axis=1)))
    edge = (1.0 - level) / 2.0
    low, high = np.nanquantile(np.concatenate(values), (edge, 1.0 - edge))
    return (float(low), float(high))


def share_interval(
    right: npt.NDArray[Any], counted: npt.NDArray[Any], seed: int
) -> tuple[float, float]:
    """95 % interval of a share: `bootstrap_interval`, and what it cannot know.

    Where every clip is wholly right (or wholly wrong) resampling shows no spread at all; there the
    exact binomial bound of so many clips stands (Clopper and Pearson, 1934): 30 of 30 right is at
    least 88.4 %.

    Args:
        right: [clips], right answers of each clip.
        counted: [clips], answers counted of each clip.
        seed: of the draws.

    Returns:
        (low, high); NaN where nothing is counted.
    """
    low, high = bootstrap_interval(right, counted, seed)
    clips, total = int(np.sum(np.asarray(counted) > 0)), np.sum(right)
    if clips and total == np.sum(counted):
        return (0.025 ** (1 / clips), high)
    if clips and total == 0:
        return (low, 1 - 0.025 ** (1 / clips))
    return (low, high)


def paired_difference(
    one: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    other: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    seed: int,
    resamples: int = 2000,
) -> tuple[float, tuple[float, float]]:
    """One share less another of the same clips, and its 95 % interval.

    Clips are drawn with replacement, and with a clip both answers to it: what is easy or hard for
    both does not widen the interval.

    Args:
        one: (right, counted) answers of each clip, [clips] both.
        other: the same of the other.
        seed: of the draws.
        resamples: how many.

    Returns:
        The difference, (low, high); NaN where one of them counts nothing.
    """
    values = np.stack([*one, *other], axis=-1)
    difference = float(_share_less(values.sum(axis=0)))
    if math.isnan(difference):
        return math.nan, (math.nan, math.nan)
    random, drawn = np.random.default_rng(seed), []
    for start in range(0, resamples, _BLOCK):
        clips = random.integers(0, len(values), (min(_BLOCK, resamples - start), len(values)))
        drawn.append(_share_less(values[clips].sum(axis=1)))
    low, high = np.nanquantile(np.concatenate(drawn), (0.025, 0.975))
    return difference, (float(low), float(high))


def _share_less(sums: npt.NDArray[Any]) -> Floats:
    """Of [..., 4] sums right, counted, right, counted: the first share less the second."""
    return _divide(sums[..., 0], sums[..., 1]) - _divide(sums[..., 2], sums[..., 3])


def difference_interval(
    one: float, interval: tuple[float, float], other: float, others: tuple[float, float]
) -> tuple[float, float]:
    """95 % interval of `one` less `other`, two shares of different clips.

    From the interval of each ("square and add", Newcombe, 1998, method 10; Zou and Donner, 2008).

    Args:
        one: a share.
        interval: its 95 % interval.
        other: another share.
        others: the 95 % interval of that.
    """
    gap = one - other
    below = math.hypot(one - interval[0], others[1] - other)
    above = math.hypot(interval[1] - one, other - others[0])
    return (gap - below, gap + above)


def per_clip(values: Bools, starts: Ints) -> Ints:
    """How many of each clip's frames are True, int64 [clips].

    Args:
        values: bool [frames].
        starts: int64 [clips], the first frame of each clip, rising from 0.
    """
    return np.add.reduceat(values, starts, dtype=np.int64)


def clip_scores(scores: npt.NDArray[Any], warmup: int) -> Floats:
    """float64 [classes]: mean of a clip's scores [time, classes] after the first `warmup` frames.

    Of a clip that is not longer than the warm-up the last frame counts.
    """
    means: Floats = scores[min(warmup, len(scores) - 1) :].mean(axis=0, dtype=np.float64)
    return means


def share_right(truth: Ints, predicted: Ints, counted: Bools) -> float:
    """Share of the counted frames whose prediction is right; NaN where none counts."""
    return float(_divide(np.sum((truth == predicted) & counted), np.sum(counted)))


def changes_of(labels: Ints) -> Ints:
    """Frames at which the label differs from that of the frame before; not the first frame."""
    return np.flatnonzero(labels[1:] != labels[:-1]).astype(np.int64) + 1


def follow_delays(truth: Ints, predicted: Ints) -> Floats:
    """Frames from each change of the truth until the prediction is the new truth.

    0 is at once; infinite where it never is before the truth changes again.
    """
    changes = changes_of(truth)
    ends = [*changes[1:].tolist(), len(truth)]
    delays = np.full(len(changes), np.inf)
    for index, (start, end) in enumerate(zip(changes.tolist(), ends, strict=False)):
        follows = np.flatnonzero(predicted[start:end] == truth[start])
        if len(follows):
            delays[index] = follows[0]
    return delays


def delay_quantile(delays: Floats, share: float) -> int | None:
    """Frames after which `share` of the changes had been followed; None where they never were."""
    if len(delays) == 0:
        return None
    value = float(np.sort(delays)[max(0, math.ceil(share * len(delays)) - 1)])
    return int(value) if math.isfinite(value) else None


def flickers_per_1000(truth: Ints, predicted: Ints, counted: Bools) -> float:
    """Changes of the prediction where the truth stays, a thousand pairs of counted frames.

    In the warm-up after a change of class a prediction has to move; that is no flicker.
    """
    pairs = counted[1:] & counted[:-1] & (truth[1:] == truth[:-1])
    flickers = pairs & (predicted[1:] != predicted[:-1])
    return float(_divide(1000.0 * np.sum(flickers), np.sum(pairs)))


def agreement(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Share of rows of two score arrays [n, classes] whose largest score is the same class's."""
    return float(_divide(np.sum(one.argmax(axis=1) == other.argmax(axis=1)), len(one)))


def score_difference(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> tuple[float, float]:
    """Mean and largest absolute difference of two score arrays of one shape."""
    if one.size == 0:
        return (math.nan, math.nan)
    difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
    return (float(difference.mean()), float(difference.max()))


def _divide(above: Any, below: Any) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = np.true_divide(np.asarray(above, np.float64), below)
    return result
