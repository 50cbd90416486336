"""When in time: how much of the score a clip loses where one frame of it is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from edgecrnn.train.explain.answers import answers, scores_of
from edgecrnn.train.network.clip_graph import read, remember
from edgecrnn.train.network.layers import scaled
from edgecrnn.train.network.network import zero_states

Frames = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
# Bytes of features that the memory reads at once.
_MOST_BYTES = 64 * 2**20
# Frames that go through the encoder at once.
_BLOCK = 64


def importance(network: Any, frames: Frames, label: int, warmup: int) -> Floats:
    """The score of `label` less the score without each frame, float32 [time].

    Left out means replaced by the frame before it (the first by the second), as if the camera
    had stood still for one frame: the clip keeps its length and its pace, the network sees
    nothing that a camera could not show it, and what it misses is what was new in that frame. A
    black frame would be an event of its own, above all for a network that sees motion.

    Frames that are much alike stand in for each other, so in a slow clip every one may be small.

    Args:
        network: the layers; sequence time.
        frames: uint8 [time, height, width, channels], at least two, a clip from a zero state.
        label: number of the class.
        warmup: frames at the start whose scores do not count; they are left out in turn too,
            for the memory has seen them.
    """
    time = len(frames)
    instead = np.concatenate([frames[1:2], frames[:-1]])
    before = np.concatenate([np.zeros_like(frames[:1]), frames[:-1]])
    follows = np.minimum(np.arange(time) + 1, time - 1)
    whole = _features(network, frames, before)
    # A frame left out changes what is read in its place and, where motion is seen, in the next.
    in_place = _features(network, instead, before)
    in_next = _features(network, frames[follows], instead)

    def score(features: Floats) -> Floats:
        logits, _ = remember(network, tf.constant(features), zero_states(network, len(features)))
        return np.asarray(answers(scores_of(network, logits), warmup)[:, label], np.float32)

    at_once = max(1, _MOST_BYTES // whole.nbytes)
    without = []
    for start in range(0, time, at_once):
        gone = np.arange(start, min(time, start + at_once))
        variants = np.repeat(whole[None], len(gone), axis=0)
        variants[np.arange(len(gone)), gone] = in_place[gone]
        has_next = gone + 1 < time
        variants[np.flatnonzero(has_next), gone[has_next] + 1] = in_next[gone[has_next]]
        without.append(score(variants))
    return np.asarray(score(whole[None]) - np.concatenate(without), np.float32)


def _features(network: Any, frames: Frames, before: Frames) -> Floats:
    """What the memory reads of each frame, [n, features], where `before` came before it."""
    parts = []
    for start in range(0, len(frames), _BLOCK):
        now = tf.cast(frames[start : start + _BLOCK, None], tf.float32)
        previous = scaled(tf.cast(before[start : start + _BLOCK], tf.float32))
        features, _ = read(network, now, {"previous": previous})
        parts.append(np.asarray(ops.convert_to_numpy(features)[:, 0], np.float32))
    return np.concatenate(parts)
