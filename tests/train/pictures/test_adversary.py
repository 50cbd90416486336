"""A discriminator and the network that it judges, each learning by its own part of one loss."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
import tensorflow as tf

from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.pictures.adversary import Adversary, build_adversary

SHAPE = (16, 16, 1)
NETWORK = NetworkSettings(sequence="patches", width=0.5, units=8, blocks=2).filled()


def pictures(seed: int, middle: float) -> Any:
    values = np.random.default_rng(seed).normal(middle, 30, (8, *SHAPE))
    return tf.constant(np.clip(values, 0, 255), tf.float32)


def judged(adversary: Adversary, labels: Any = None) -> tuple[Any, Any]:
    """Gradients at the made pictures, and at the discriminator's weights."""
    made, seeds = tf.Variable(pictures(1, 90)), keras.random.SeedGenerator(0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(adversary.losses(made, pictures(2, 160), labels, seeds))
    weights = [weight.value for weight in adversary.model.trainable_weights]
    return tape.gradient(loss, [made, weights])


def adversary_of(weight: float, classes: int = 0) -> Adversary:
    keras.utils.set_random_seed(3)
    return build_adversary(SHAPE, NETWORK, classes, weight)


def test_its_word_weighs_on_pictures_and_not_on_itself() -> None:
    light, heavy = (judged(adversary_of(weight)) for weight in (0.5, 5.0))
    assert np.allclose(heavy[0], 10.0 * light[0], rtol=1e-4)
    assert np.abs(light[0]).max() > 0
    for one, other in zip(light[1], heavy[1], strict=True):
        assert np.allclose(one, other, atol=1e-5)
    assert any(np.abs(each).max() > 0 for each in light[1])


def test_it_learns_to_tell_made_from_true_and_what_is_shown() -> None:
    adversary, labels = adversary_of(0.1, classes=2), tf.eye(2)[None].numpy().repeat(4, 0)
    labels = labels.reshape(8, 2)
    optimizer, seeds = keras.optimizers.Adam(0.003), keras.random.SeedGenerator(0)
    true = pictures(2, 100).numpy()
    true[::2] += 100.0
    for step in range(40):
        with tf.GradientTape() as tape:
            made = pictures(100 + step, 60)
            loss = tf.reduce_mean(adversary.losses(made, tf.constant(true), labels, seeds))
        weights = adversary.model.trainable_weights
        optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)
    answers = adversary.model(tf.constant(true))[0].numpy()
    made_answers = adversary.model(pictures(7, 60))[0].numpy()
    assert answers[:, 0].min() > made_answers[:, 0].max()
    assert (answers[:, 1:].argmax(1) == labels.argmax(1)).all()


@pytest.mark.parametrize("classes", [0, 2])
def test_what_looks_true_costs_the_network_nothing_more(classes: int) -> None:
    """Pictures that are the true ones, and others of the same spread that are not."""
    adversary, seeds = adversary_of(1.0, classes), keras.random.SeedGenerator(0)
    labels = tf.eye(2)[None].numpy().repeat(4, 0).reshape(8, 2) if classes else None
    true = pictures(2, 160)

    def cost(made: Any, weight: float) -> float:
        whole = dataclasses.replace(adversary, weight=weight)
        return float(tf.reduce_mean(whole.losses(made, true, labels, seeds)))

    extra = [cost(made, 1.0) - cost(made, 0.0) for made in (true, pictures(3, 60))]
    assert extra[0] < extra[1]
    assert classes or abs(extra[0]) < 0.05
