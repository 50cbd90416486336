"""Changes of the windows that training reads."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from edgecrnn.train.data.batches import Window


def every(windows: Iterator[Window], stride: int) -> Iterator[Window]:
    """Only every `stride`-th frame of each window, for a network without memory."""
    for window in windows:
        yield Window(
            window.frames[:, ::stride],
            window.targets[:, ::stride],
            window.weights[:, ::stride],
            window.reset,
        )


def mixed(windows: Iterator[Window], alpha: float, seed: int, epoch: int) -> Iterator[Window]:
    """Each stream blended with another one, and what is true of it as well (mixup, Zhang, 2018).

    Which two, and how much of each, is drawn anew where every row starts again, and stays until
    then: a blend that changed along a stream would look like a movement.

    Args:
        windows: of streams or pictures.
        alpha: of the Beta distribution that the shares are drawn from; the larger share is the
            row's own.
        seed: with `epoch`, decides everything.
        epoch: number of the epoch.
    """
    rng = np.random.default_rng((seed, epoch, 1))
    other, share = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for window in windows:
        if not len(other) or window.reset.all():
            other = rng.permutation(len(window.frames))
            share = rng.beta(alpha, alpha, len(other)).astype(np.float32)
            share = np.maximum(share, 1 - share)
        frames = np.empty_like(window.frames)
        for row, (partner, own) in enumerate(zip(other, share, strict=True)):
            mine, theirs = (window.frames[i].reshape(1, -1) for i in (row, partner))
            cv2.addWeighted(mine, float(own), theirs, 1 - float(own), 0, frames[row].reshape(1, -1))
        own_share = share[:, None, None]
        yield Window(
            frames,
            own_share * window.targets + (1 - own_share) * window.targets[other],
            np.minimum(window.weights, window.weights[other]),
            # Where one of the two starts again the other does too: their pasts are one state.
            np.maximum(window.reset, window.reset[other]),
        )
