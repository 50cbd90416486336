"""What a labelled frame costs: the loss that every classifier is trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


def cross_entropy(logits: Any, labels: Any, smoothing: float = 0.0) -> Any:
    """Categorical cross-entropy a frame, float32 [batch, time].

    Args:
        logits: float32 [batch, time, classes].
        labels: int32 [batch, time].
        smoothing: share of the target that is spread over all classes (Szegedy et al., 2016).
    """
    classes = logits.shape[-1]
    targets = tf.one_hot(labels, classes) * (1.0 - smoothing) + smoothing / classes
    return tf.nn.softmax_cross_entropy_with_logits(targets, logits)


class Supervised:
    """A trainee whose loss is the cross-entropy of its logits."""

    def losses(
        self, frames: Any, labels: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, time], logits [batch, time, classes], new states) of a training step."""
        logits, new = self(frames, states, True)  # type: ignore[operator]
        return cross_entropy(logits, labels, smoothing), logits, new
