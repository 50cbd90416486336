"""Which clips are shown: the worst mistakes and typical right answers, spread over the classes."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from edgecrnn.train.evaluation.metrics import clip_scores
from edgecrnn.train.evaluation.result import Evaluation
from edgecrnn.train.evaluation.streams import Clips
from edgecrnn.train.report.content import Example

FRAMES_SHOWN = 8


def choose_examples(
    evaluation: Evaluation, clips: Clips, most_wrong: int = 6, most_right: int = 6
) -> tuple[Example, ...]:
    """First the wrong ones, by how surely they were wrong, then right ones.

    Every class gets its turn before one gets a second. A class's right example is its clip of
    median sureness: neither the best nor the luckiest.

    Args:
        evaluation: of these very clips, with its detail.
        clips: what was judged.
        most_wrong: mistakes at most.
        most_right: right answers at most.
    """
    detail, truth = evaluation.detail, clips.labels
    means = np.stack([clip_scores(scores, evaluation.warmup) for scores in detail.scores])
    rows = np.arange(len(truth))
    margin = means[rows, detail.predicted] - means[rows, truth]
    sure = means[rows, detail.predicted]
    wrong = _in_turns(
        [_by(-margin, _where(truth, detail.predicted, c, False)) for c in range(means.shape[1])],
        -margin,
    )
    right = _in_turns(
        [
            _from_median(_by(sure, _where(truth, detail.predicted, c, True)))
            for c in range(means.shape[1])
        ],
        None,
    )
    chosen = [*wrong[:most_wrong], *right[:most_right]]
    return tuple(
        Example(
            name=clips.names[i],
            frames=spread(clips.clip(i), FRAMES_SHOWN),
            truth=int(truth[i]),
            predicted=int(detail.predicted[i]),
            scores=detail.scores[i],
        )
        for i in chosen
    )


def spread(frames: npt.NDArray[np.uint8], most: int) -> npt.NDArray[np.uint8]:
    """At most `most` frames [shown, h, w, channels], each the middle of an equal part."""
    shown = min(most, len(frames))
    middles = ((np.arange(shown) + 0.5) * len(frames) / shown).astype(np.int64)
    return np.ascontiguousarray(frames[middles])


def _where(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], label: int, right: bool
) -> list[int]:
    return np.flatnonzero((truth == label) & ((predicted == label) == right)).tolist()


def _by(key: npt.NDArray[np.float64], indices: list[int]) -> list[int]:
    return sorted(indices, key=lambda i: (float(key[i]), i))


def _from_median(indices: list[int]) -> list[int]:
    middle = len(indices) // 2
    return [*indices[middle:], *indices[:middle]]


def _in_turns(groups: list[list[int]], key: npt.NDArray[np.float64] | None) -> list[int]:
    """The first of each group, then the second of each; within a turn by `key` where given."""
    result: list[int] = []
    for turn in itertools.zip_longest(*groups):
        present = [i for i in turn if i is not None]
        result += present if key is None else _by(key, present)
    return result
