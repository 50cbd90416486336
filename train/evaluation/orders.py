"""The stream in several orders of its clips: how much of one order's score is the order's luck.

What a state carries over from the clip before helps or harms the next one, so one order of a few
dozen clips says the accuracy only to a point or two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.predictor import Predictor
from edgecrnn.train.evaluation.streams import (
    Clips,
    Ints,
    clip_starts,
    counted_frames,
    stream_order,
    stream_scores,
)
from edgecrnn.train.evaluation.text import interval_said


@dataclass(frozen=True)
class Orders:
    """The same clips as one stream, joined anew for each seed."""

    accuracies: tuple[float, ...]  # of each order, over its counted frames
    accuracy: float  # over the counted frames of all of them
    less_clips: float  # that less the accuracy of the clips
    less_clips_interval: tuple[float, float]  # 95 %, clips drawn in pairs


def judge_orders(
    predictor: Predictor,
    store: Clips,
    predicted: Ints,
    warmup: int,
    count: int,
    advance: Callable[[int], None] = lambda frames: None,
) -> Orders:
    """Judge the stream in `count` orders, those of the seeds 0 to count - 1.

    Args:
        predictor: the model.
        store: the clips.
        predicted: the class that each clip was given on its own, int64 [clips].
        warmup: frames left out at the start and after each change of class.
        count: how many orders, 1 or more.
        advance: called with the number of frames just read.

    Raises:
        EdgecrnnError: no frame comes after the warm-up.
    """
    right, counted = (np.zeros(len(store), np.int64) for _ in range(2))
    accuracies = []
    for seed in range(count):
        order = stream_order(store, seed)
        scores, truth = stream_scores(predictor, store, order, advance)
        counts, starts = counted_frames(truth, warmup), clip_starts(store, order)
        hits = (scores.argmax(axis=1) == truth) & counts
        # A clip's frames are added up wherever the order puts it.
        right[order] += metrics.per_clip(hits, starts)
        counted[order] += metrics.per_clip(counts, starts)
        accuracies.append(float(hits.sum() / max(1, counts.sum())))
    if not counted.any():
        raise EdgecrnnError(
            f"--orders: expected clips that show a class for more than the {warmup} frames of "
            "warm-up, got none; give longer ones"
        )
    alone = (predicted == store.labels).astype(np.int64)
    less, interval = metrics.paired_difference(
        (right, counted), (alone, np.ones_like(alone)), seed=0
    )
    return Orders(tuple(accuracies), float(right.sum() / counted.sum()), less, interval)


def orders_text(orders: Orders) -> str:
    """One sentence."""
    least, most = min(orders.accuracies), max(orders.accuracies)
    return (
        f"In {len(orders.accuracies)} orders of the clips the stream is right in "
        f"{100 * orders.accuracy:.1f} % of the frames ({100 * least:.1f} to {100 * most:.1f}): "
        f"{100 * orders.less_clips:+.1f} points beside the clips (95 % interval "
        f"{interval_said(orders.less_clips_interval)})."
    )
