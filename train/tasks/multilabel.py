"""Several labels a frame: each is true or not, whatever the others are.

Softmax would make them exclude each other: with "indoor" and "wagon" both true, neither could score
above one half. So each label has a sigmoid of its own.
"""

from __future__ import annotations

from typing import Any

from keras import ops

WHAT = "each of several labels, true or not"


def scores(logits: Any) -> Any:
    """A sigmoid for each label."""
    return ops.sigmoid(logits)


def loss(logits: Any, targets: Any, smoothing: float = 0.0) -> Any:
    """Binary cross-entropy, the mean over the labels; `smoothing` as in Szegedy et al., 2016."""
    targets = targets * (1.0 - smoothing) + smoothing / 2.0
    # softplus(x) - x * t is the cross-entropy of sigmoid(x) without its overflow.
    return ops.mean(ops.softplus(logits) - logits * targets, axis=-1)


def right(logits: Any, targets: Any) -> Any:
    """The share of the labels that are right at a score of one half."""
    same = ops.equal(ops.greater(logits, 0.0), ops.greater(targets, 0.5))
    return ops.mean(ops.cast(same, "float32"), axis=-1)


def apart(logits: Any, others: Any) -> Any:
    """Both Kullback-Leibler divergences of each label together (Jeffreys, 1946), their sum."""
    difference = ops.sigmoid(logits) - ops.sigmoid(others)
    return ops.sum(difference * (logits - others), axis=-1)
