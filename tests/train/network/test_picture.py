"""The graph over one picture: what names the class, and what guides the encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from edgecrnn.train.network.network import build_network  # noqa: E402
from edgecrnn.train.network.picture import picture, picture_steps  # noqa: E402
from edgecrnn.train.network.settings import FilledSettings, NetworkSettings  # noqa: E402
from edgecrnn.train.network.trainee import network_trainee  # noqa: E402

PICTURES = np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3)).astype(np.float32)


def network(**chosen: Any) -> Any:
    choices = {"sequence": "columns", "units": 4, "width": 0.25, **chosen}
    return build_network(NetworkSettings(**choices), PICTURES.shape[1:], 3, seed=1)


@pytest.mark.parametrize("readout", ["last", "mean"])
def test_the_head_reads_the_last_step_or_the_mean_of_all(readout: str) -> None:
    net = network(readout=readout)
    (cell,) = net.cells
    h = c = np.zeros((2, 4), np.float32)
    steps = []
    for step in np.moveaxis(np.asarray(picture_steps(net.encoder, net.settings, PICTURES)), 1, 0):
        h, c = cell(step, h, c)
        steps.append(np.asarray(h))
    read = steps[-1] if readout == "last" else np.mean(steps, axis=0)
    expected = np.asarray(net.head(read))
    np.testing.assert_allclose(np.asarray(picture(net, PICTURES)), expected, atol=1e-5)


def test_what_is_not_given_follows_from_the_sequence() -> None:
    said = {
        sequence: (filled.encoder, filled.readout)
        for sequence in ("time", "columns", "patches")
        for filled in [NetworkSettings(sequence=sequence).filled()]
    }
    assert said == {
        "time": ("light", "last"), "columns": ("plain", "mean"), "patches": ("light", "mean"),
    }  # fmt: skip
    # A run whose record does not say was made when these were the only ones.
    assert (FilledSettings().encoder, FilledSettings().readout) == ("light", "last")


def test_the_guide_reaches_the_encoder_past_the_memory() -> None:
    """With the LSTM deaf, only the guide's loss can move the encoder."""
    import tensorflow as tf

    net = network()
    for weight in net.cells[0].weights:
        weight.assign(np.zeros(weight.shape, np.float32))
    targets = np.eye(3, dtype=np.float32)[:2, None]
    moved = {}
    for guidance in (0.0, 1.0):
        trainee = network_trainee(net, 3, guidance)
        with tf.GradientTape() as tape:
            losses, logits, states = trainee.losses(PICTURES[:, None], targets, {}, 0.0)
            loss = tf.reduce_sum(losses)
        first = tape.gradient(loss, net.encoder.trainable_weights)[0]
        moved[guidance] = 0.0 if first is None else float(tf.reduce_max(tf.abs(first)))
        assert losses.shape == (2, 1) and logits.shape == (2, 1, 3) and states == {}
    assert moved[0.0] == 0.0 < moved[1.0]
