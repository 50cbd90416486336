"""One label a frame: labels exclude each other, their scores add up to one."""

from __future__ import annotations

from typing import Any

from keras import ops

WHAT = "one label of several"


def scores(logits: Any) -> Any:
    """Softmax over the classes."""
    return ops.softmax(logits)


def loss(logits: Any, targets: Any, smoothing: float = 0.0) -> Any:
    """Categorical cross-entropy; `smoothing` as in Szegedy et al., 2016."""
    targets = targets * (1.0 - smoothing) + smoothing / logits.shape[-1]
    return -ops.sum(targets * ops.log_softmax(logits), axis=-1)


def right(logits: Any, targets: Any) -> Any:
    """1.0 where the highest score is that of the true label."""
    same = ops.equal(ops.argmax(logits, -1), ops.argmax(targets, -1))
    return ops.cast(same, "float32")


def apart(logits: Any, others: Any) -> Any:
    """Both Kullback-Leibler divergences together (Jeffreys, 1946)."""
    difference = ops.softmax(logits) - ops.softmax(others)
    return ops.sum(difference * (ops.log_softmax(logits) - ops.log_softmax(others)), axis=-1)
