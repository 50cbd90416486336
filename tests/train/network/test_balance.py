"""Two heads of one network, each with as much to say."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

import tensorflow as tf

from edgecrnn.train.network.balance import Alike


def test_what_comes_back_has_its_length_over_all_tensors() -> None:
    xs = [tf.Variable(np.ones((2, 3), np.float32)), tf.Variable(np.ones((4,), np.float32))]
    layer = Alike(2.0)
    with tf.GradientTape(persistent=True) as tape:
        first, second = layer([xs[0].value(), xs[1].value()], training=True)
        loss = 1000.0 * tf.reduce_sum(first) + 500.0 * tf.reduce_sum(second)
        still = 0.0 * tf.reduce_sum(first)
    gradients = [each.numpy() for each in tape.gradient(loss, xs)]
    assert np.sqrt(sum(np.square(each).sum() for each in gradients)) == pytest.approx(2.0)
    assert gradients[0][0, 0] == pytest.approx(2.0 * gradients[1][0])
    # What asks for nothing gets nothing.
    assert not np.any(tape.gradient(still, xs[0]))


def test_nothing_changes_on_the_way_there() -> None:
    x = tf.constant([[1.0, -2.0]])
    for training in (True, False):
        (same,) = Alike(1.0)([x], training=training)
        assert np.array_equal(same, x)
