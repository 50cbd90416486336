"""Multiply-adds, counted by hand."""

from __future__ import annotations

import pytest

pytest.importorskip("keras")

import keras
from keras import layers

from edgecrnn.train.network.cost import encoder_multiply_adds, multiply_adds
from edgecrnn.train.network.network import build_network
from edgecrnn.train.network.settings import NetworkSettings


def test_layer_by_layer() -> None:
    x = inputs = keras.Input((8, 12, 3))
    x = layers.Conv2D(16, 3, 2, padding="same")(x)  # 4 x 6 places, 3 x 3 x 3 weights, 16 filters
    x = layers.DepthwiseConv2D(3, padding="same")(x)  # 4 x 6 places, 3 x 3 weights, 16 channels
    x = layers.Conv2D(8, 1)(x)  # 4 x 6 places, 16 weights, 8 filters
    x = layers.Flatten()(x)
    x = layers.Dense(5)(x)
    wanted = 24 * 27 * 16 + 24 * 9 * 16 + 24 * 16 * 8 + 192 * 5
    assert encoder_multiply_adds(keras.Model(inputs, x)) == wanted


def test_the_light_network() -> None:
    network = build_network(NetworkSettings(units=10, motion=True), (32, 32, 3), 4)
    encoder = (
        16 * 16 * 9 * 6 * 16  # 3x3 of six channels to 16, stride 2
        + 8 * 8 * 9 * 16 + 8 * 8 * 16 * 32  # depthwise, then 1x1 to 32
        + 4 * 4 * 9 * 32 + 4 * 4 * 32 * 64
        + 4 * 4 * 64 * 16  # the squeeze
    )  # fmt: skip
    features = 4 * 4 * 16 + 64
    assert multiply_adds(network) == encoder + (features + 10) * 40 + 10 * 4


def test_pictures_pay_for_each_step() -> None:
    settings = NetworkSettings(sequence="columns", units=10)
    network = build_network(settings, (32, 64, 3), 4)
    encoder = encoder_multiply_adds(network.encoder)
    # Four columns of two rows and 32 channels.
    assert multiply_adds(network) == encoder + 4 * (2 * 32 + 10) * 40 + 10 * 4
    blocks = build_network(NetworkSettings(sequence="patches", units=10, blocks=2), (32, 32, 3), 4)
    encoder = encoder_multiply_adds(blocks.encoder)
    assert multiply_adds(blocks) == 4 * encoder + 4 * (2 * 2 * 16 + 64 + 10) * 40 + 10 * 4


def test_a_wider_network_costs_more() -> None:
    costs = [
        multiply_adds(build_network(NetworkSettings(width=width), (48, 48, 3), 4))
        for width in (0.5, 1.0, 2.0)
    ]
    assert costs == sorted(costs) and costs[2] > 2 * costs[1]


def test_a_backbone() -> None:
    network = build_network(NetworkSettings(encoder="mobilenet_v3_small"), (64, 64, 3), 4)
    # 56 million at 224x224 (Howard et al., 2019), a twelfth of the places here.
    assert 2_000_000 < multiply_adds(network) < 8_000_000
