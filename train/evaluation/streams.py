"""Streams: clips in a seeded order, joined without reset. Evaluation and conversion share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgecrnn.train.evaluation.predictor import Predictor

Frames = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
# Frames handed to a predictor at once; bounds the memory of a long clip.
BLOCK = 256


class Clips(Protocol):
    """What is judged: one split's `FrameStore`, or several of them as one."""

    @property
    def starts(self) -> Ints:
        """int64 [clips + 1]: frames before each clip, then all frames."""

    @property
    def labels(self) -> Ints:
        """int64 [clips]."""

    @property
    def targets(self) -> Scores:
        """float32 [clips, classes], 1.0 for each label that is true."""

    @property
    def names(self) -> tuple[str, ...]:
        """Path below the data folder, per clip."""

    def clip(self, i: int) -> Frames:
        """The frames of clip `i`, uint8 [time, h, w, channels]."""

    def __len__(self) -> int:
        """How many clips."""


def stream_order(store: Clips, seed: int) -> Ints:
    """Every clip of `store` once, int64 [clips], in an order that only the seed decides."""
    return np.random.default_rng(seed).permutation(len(store)).astype(np.int64)


def frame_labels(store: Clips, order: Ints) -> Ints:
    """The truth at each frame of the stream, int64 [frames]."""
    return np.repeat(store.labels[order], np.diff(store.starts)[order])


def clip_starts(store: Clips, order: Ints) -> Ints:
    """The first frame of each clip along the stream, int64 [clips]."""
    lengths = np.diff(store.starts)[order]
    return (np.cumsum(lengths) - lengths).astype(np.int64)


def blocks(store: Clips, order: Ints) -> Iterator[Frames]:
    """The stream's frames in pieces of one clip each, uint8 [at most BLOCK, h, w, channels]."""
    for index in order.tolist():
        clip = store.clip(index)
        for start in range(0, len(clip), BLOCK):
            yield clip[start : start + BLOCK]


def joined(store: Clips, order: Ints) -> tuple[Frames, Ints]:
    """The whole stream in memory: uint8 [frames, h, w, channels] and its truth int64 [frames].

    At least one clip is needed.
    """
    frames = np.concatenate(list(blocks(store, order)))
    return frames, frame_labels(store, order)


def counting(total: int, progress: Callable[[int, int], None] | None) -> Callable[[int], None]:
    """Adds up the frames that it is told of, and tells `progress` (frames read, total)."""
    done = 0

    def advance(frames: int) -> None:
        nonlocal done
        done += frames
        if progress is not None:
            progress(done, total)

    return advance


def stream_scores(
    predictor: Predictor,
    store: Clips,
    order: Ints,
    advance: Callable[[int], None] = lambda frames: None,
) -> tuple[Scores, Ints]:
    """The predictor's scores along the stream, its state carried from clip to clip.

    Args:
        predictor: asked for one block after the other.
        store: the clips.
        order: of `stream_order`.
        advance: called with the number of frames just read.

    Returns:
        float32 [frames, classes], and the truth int64 [frames].
    """
    return scores_along(predictor, blocks(store, order), advance), frame_labels(store, order)


def scores_along(
    predictor: Predictor, pieces: Iterator[Frames], advance: Callable[[int], None]
) -> Scores:
    """Scores of `pieces` from a zero state on, float32 [frames, classes]."""
    state: Any = None
    rows: list[Scores] = [np.zeros((0, len(predictor.labels)), np.float32)]
    for piece in pieces:
        scores, state = predictor.scores(piece, state)
        rows.append(scores)
        advance(len(piece))
    return np.concatenate(rows)


def counted_frames(labels: Ints, warmup: int) -> Bools:
    """Which frames of a stream count, bool [frames].

    The first `warmup` frames of the stream and after every change of the label do not.
    """
    indices = np.arange(len(labels))
    starts = np.ones(len(labels), np.bool_)
    starts[1:] = labels[1:] != labels[:-1]
    last_start = np.maximum.accumulate(np.where(starts, indices, 0))
    counted: Bools = indices - last_start >= warmup
    return counted
