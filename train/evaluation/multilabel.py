"""Judges a model with several labels a frame: by label, by rank, and by whole sets of labels.

Sets of labels are judged as classes are: an answer is right where it is exactly the true set. So
everything that is known of classes (intervals, streams, confusions) holds for sets as well. Beside
that each label is judged on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.evaluate import clips_scores, evaluate
from edgecrnn.train.evaluation.predictor import Predictor
from edgecrnn.train.evaluation.result import Evaluation, LabelScores, MultilabelScores
from edgecrnn.train.evaluation.streams import Clips, Frames

Scores = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]
_ANOTHER = "another set"
_BOOTSTRAPS = 1000
_LEAST = 1e-6


def average_precision(truth: Truth, scores: npt.NDArray[np.floating[Any]]) -> float:
    """The mean precision at the rank of each true one, NaN where none is true.

    Equal scores share a rank: the order of the clips plays no part (the step-wise sum over
    recall, as in Su, Yuan and Zhu, 2015).

    Args:
        truth: bool [clips].
        scores: float [clips].
    """
    if not truth.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, sorted_scores = truth[order], scores[order]
    # The last place of each group of equal scores stands for all of it.
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(ranked) - 1)
    found = np.cumsum(ranked)[last]
    precision = found / (last + 1)
    return float(np.sum(np.diff(found, prepend=0) * precision) / truth.sum())


def best_thresholds(truth: Truth, scores: Scores) -> tuple[float, ...]:
    """For each label the score from which calling it true gives the best F1; 0.5 where none can.

    In the middle between the lowest score that is called true and the next one below it.

    Args:
        truth: bool [clips or frames, labels], of validation.
        scores: float32 of the same shape.
    """
    return tuple(
        _best_threshold(truth[:, i], scores[:, i].astype(np.float64)) for i in range(truth.shape[1])
    )


def _best_threshold(truth: Truth, scores: npt.NDArray[np.float64]) -> float:
    if not 0 < truth.sum() < len(truth):
        return 0.5
    values, places = np.unique(scores, return_inverse=True)
    # What each score calls true is all that stands at it or above.
    called, hits = (
        np.cumsum(np.bincount(places[chosen], minlength=len(values))[::-1])
        for chosen in (slice(None), truth)
    )
    values = values[::-1]
    f1 = 2 * hits / (called + truth.sum())
    best = int(f1.argmax())
    below = values[best + 1] if best + 1 < len(values) else 0.0
    return round(float((values[best] + below) / 2), 4)


@dataclass(frozen=True)
class SetPredictor:
    """A predictor of sets of labels: the share of each set, the labels taken as independent.

    Scores are moved so that a label's threshold stands at one half; then the likeliest of all
    sets is the one of the labels that reach their thresholds. Where the data knows no such set,
    the answer is `another set`.
    """

    predictor: Predictor
    sets: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    thresholds: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The sets' names."""
        return (*self.names, _ANOTHER)

    def scores(self, frames: Frames, state: Any) -> tuple[Scores, Any]:
        """uint8 [time, h, w, channels] to float32 [time, sets + 1]; state None is zero."""
        scores, state = self.predictor.scores(frames, state)
        bounds = np.clip(np.array(self.thresholds), _LEAST, 1 - _LEAST)
        odds = _odds(scores.astype(np.float64)) / _odds(bounds)
        true = odds / (1 + odds)
        shares = [
            np.prod(np.where(np.isin(np.arange(len(bounds)), chosen), true, 1 - true), axis=1)
            for chosen in self.sets
        ]
        likeliest = np.prod(np.maximum(true, 1 - true), axis=1)
        known = np.max(shares, axis=0) >= likeliest * (1 - 1e-9)
        table = np.stack([*shares, np.where(known, 0.0, likeliest)], axis=1)
        return table.astype(np.float32), state


@dataclass(frozen=True)
class SetClips:
    """Clips whose labels number sets of labels."""

    clips: Clips
    labels: npt.NDArray[np.int64]

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """int64 [clips + 1]."""
        return self.clips.starts

    @property
    def names(self) -> tuple[str, ...]:
        """Path below the data folder, per clip."""
        return self.clips.names

    @property
    def targets(self) -> Scores:
        """float32 [clips, labels]."""
        return self.clips.targets

    def clip(self, i: int) -> Frames:
        """The frames of clip `i`, uint8 [time, h, w, channels]."""
        return self.clips.clip(i)

    def __len__(self) -> int:
        """How many clips."""
        return len(self.clips)


def evaluate_labels(
    predictor: Predictor,
    clips: Clips,
    labels: tuple[str, ...],
    kind: str,
    warmup: int,
    thresholds: Sequence[float],
    seed: int = 0,
    baseline: Predictor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Evaluation, SetClips]:
    """As `evaluate`, for sets of labels, and each label on its own.

    Args:
        predictor: the model; its scores are one a label.
        clips: what is judged; `targets` is the truth.
        labels: the names of the labels.
        kind: pictures or clips.
        warmup: frames left out; 0 for pictures.
        thresholds: from which score on a label is called true, chosen on validation.
        seed: as there.
        baseline: a model without memory.
        progress: as there.

    Returns:
        the evaluation, whose classes are sets, and the clips numbered by them.
    """
    truth = clips.targets > 0.5
    rows, numbers = np.unique(truth, axis=0, return_inverse=True)
    sets = tuple(tuple(np.flatnonzero(row).tolist()) for row in rows)
    names = tuple("+".join(labels[i] for i in chosen) or "none" for chosen in sets)
    bounds = tuple(thresholds) or (0.5,) * len(labels)
    of_sets = SetClips(clips, numbers.reshape(-1).astype(np.int64))
    asked = SetPredictor(predictor, sets, names, bounds)
    beside = SetPredictor(baseline, sets, names, bounds) if baseline is not None else None
    evaluation = evaluate(asked, of_sets, asked.labels, kind, warmup, seed, beside, progress)
    means = np.stack([metrics.clip_scores(one, warmup) for one in clips_scores(predictor, clips)])
    scored = label_scores(truth, means, labels, bounds, seed)
    return replace(evaluation, multilabel=scored), of_sets


def evaluate_task(
    task: str,
    predictor: Predictor,
    clips: Clips,
    labels: tuple[str, ...],
    kind: str,
    warmup: int,
    decision: DecisionSettings,
    seed: int = 0,
    baseline: Predictor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Evaluation, Clips]:
    """`evaluate` or `evaluate_labels`, as the task asks; the clips are numbered by the classes."""
    if task == "multilabel":
        return evaluate_labels(
            predictor, clips, labels, kind, warmup, decision.thresholds, seed, baseline, progress
        )
    return (
        evaluate(predictor, clips, labels, kind, warmup, seed, baseline, progress, decision),
        clips,
    )


def label_scores(
    truth: Truth,
    scores: npt.NDArray[np.floating[Any]],
    labels: tuple[str, ...],
    thresholds: Sequence[float],
    seed: int = 0,
) -> MultilabelScores:
    """Each label on its own, and the mean of their average precisions.

    Args:
        truth: bool [clips, labels].
        scores: float of the same shape, a clip's mean.
        labels: names.
        thresholds: one a label.
        seed: of the bootstrap.
    """
    called = scores >= np.array(thresholds)
    each = []
    for i, label in enumerate(labels):
        hits = int((called[:, i] & truth[:, i]).sum())
        each.append(
            LabelScores(
                label=label,
                average_precision=_maybe(average_precision(truth[:, i], scores[:, i])),
                precision=_ratio(hits, int(called[:, i].sum())),
                recall=_ratio(hits, int(truth[:, i].sum())),
                f1=_ratio(2 * hits, int(called[:, i].sum() + truth[:, i].sum())),
                threshold=float(thresholds[i]),
                support=int(truth[:, i].sum()),
            )
        )
    random = np.random.default_rng(seed)
    draws = [_mean_precision(truth[rows], scores[rows]) for rows in _resampled(len(truth), random)]
    known = [value for value in draws if not np.isnan(value)]
    low, high = np.quantile(known, (0.025, 0.975)) if known else (np.nan, np.nan)
    return MultilabelScores(
        mean_average_precision=_maybe(_mean_precision(truth, scores)),
        interval=(_maybe(float(low)), _maybe(float(high))),
        hamming=float(np.mean(called == truth)),
        labels=tuple(each),
    )


def _mean_precision(truth: Truth, scores: npt.NDArray[np.floating[Any]]) -> float:
    """Over the labels that are true somewhere."""
    each = [average_precision(truth[:, i], scores[:, i]) for i in range(truth.shape[1])]
    known = [value for value in each if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _resampled(count: int, random: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    # One by one: all of them at once are a gigabyte for 100,000 pictures.
    return (random.integers(0, count, count) for _ in range(_BOOTSTRAPS))


def _odds(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    bounded = np.clip(share, _LEAST, 1 - _LEAST)
    return bounded / (1 - bounded)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _maybe(value: float) -> float | None:
    return None if np.isnan(value) else value
