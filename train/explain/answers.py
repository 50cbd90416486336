"""What a network answers to whole clips or pictures from a zero state."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from edgecrnn.train.network.clip_graph import clip
from edgecrnn.train.network.network import zero_states
from edgecrnn.train.network.picture import picture
from edgecrnn.train.tasks import task_of

Floats = npt.NDArray[np.float32]


def logits_of(network: Any, clips: Any) -> Any:
    """Float32 tensor [clips, time, classes].

    Args:
        network: the layers.
        clips: pixels [clips, time, height, width, channels] in 0..255; for a network that reads
            pictures time is 1.
    """
    frames = tf.cast(clips, tf.float32)
    if network.settings.sequence == "time":
        return clip(network, frames, zero_states(network, len(clips)))[0]
    return picture(network, frames[:, 0])[:, None]


def scores_of(network: Any, logits: Any) -> Floats:
    """The scores that the network's task makes of logits [..., classes]."""
    return np.asarray(task_of(network.settings.task).scores(logits), np.float32)


def answers(scores: Floats, warmup: int) -> npt.NDArray[np.float64]:
    """The score that a clip gets as a whole: the mean of the frames after the warm-up.

    Args:
        scores: [..., time, classes].
        warmup: frames at the start that do not count; of a clip that is not longer the last does.
    """
    counted = scores[..., first_counted(scores.shape[-2], warmup) :, :]
    return np.asarray(counted.mean(axis=-2, dtype=np.float64))


def first_counted(time: int, warmup: int) -> int:
    """Index of the first of `time` frames that counts."""
    return min(warmup, time - 1)
