"""Backbones of keras.applications: what they learned elsewhere is really in the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from edgecrnn.convert.certificate import run_stream
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.encoders import build_encoder, encoder_defaults, encoder_names, learned_weights
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.network.trainee import network_trainee
from edgecrnn.train.predictors import network_predictor

pytestmark = pytest.mark.slow

BACKBONES = ("mobilenet_v3_small", "efficientnet_v2_b0")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A file of weights, and the first kernel in it."""
    keras.utils.set_random_seed(5)
    model = keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3), include_top=False, weights=None, include_preprocessing=False
    )
    path = tmp_path_factory.mktemp("weights") / "small.weights.h5"
    model.save_weights(path)
    return path, np.asarray(model.get_layer("conv").kernel)


def encoder(channels: int, weights: str = "") -> Any:
    return build_encoder("mobilenet_v3_small", (32, 32, channels), 1.0, weights)


def test_they_are_listed_and_what_they_share_is_not() -> None:
    assert set(encoder_names()) == {"anywhere", "document", "light", "plain", *BACKBONES}
    for name in BACKBONES:
        assert encoder_defaults(name)["motion"] is False


def test_a_file_of_weights_is_in_every_layer(learned: tuple[Path, Any]) -> None:
    path, kernel = learned
    one, other = encoder(3, str(path)), encoder(3, str(path))
    np.testing.assert_array_equal(one.get_layer("conv").kernel, kernel)
    for a, b in zip(learned_weights(one), learned_weights(other), strict=True):
        np.testing.assert_array_equal(a, b)
    random = encoder(3)
    assert not np.array_equal(random.get_layer("conv").kernel, kernel)


def test_grey_frames_and_differences_fit_colour_weights(learned: tuple[Path, Any]) -> None:
    path, kernel = learned
    grey = np.asarray(encoder(1, str(path)).get_layer("conv").kernel)
    np.testing.assert_allclose(grey, kernel.sum(axis=2, keepdims=True), rtol=1e-6)
    motion = np.asarray(encoder(6, str(path)).get_layer("conv").kernel)
    np.testing.assert_array_equal(motion[:, :, :3], kernel)
    assert not motion[:, :, 3:].any()


@pytest.mark.parametrize(
    ("name", "width", "weights", "said"),
    [
        ("light", 1.0, "imagenet", "the encoders that take them are efficientnet_v2_b0, mobilenet"),
        ("mobilenet_v3_small", 1.0, "none.weights.h5", "expected a .weights.h5 of this backbone"),
        ("efficientnet_v2_b0", 0.5, "", "expected 1 for efficientnet_v2_b0"),
    ],
)
def test_what_cannot_be_had_is_refused(name: str, width: float, weights: str, said: str) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        build_encoder(name, (32, 32, 3), width, weights)
    assert said in str(caught.value)


def test_weights_of_another_width_are_refused(learned: tuple[Path, Any]) -> None:
    with pytest.raises(EdgecrnnError, match="of the same width"):
        build_encoder("mobilenet_v3_small", (32, 32, 3), 0.75, str(learned[0]))


def test_frozen_weights_stay_and_the_rest_learns(learned: tuple[Path, Any]) -> None:
    settings = NetworkSettings(encoder="mobilenet_v3_small", units=4, weights=str(learned[0]))
    network = build_network(settings, (32, 32, 3), 2)
    trainee = network_trainee(network, 2, 1.0)
    frozen = type(trainee)(trainee.network, trainee.guide, 1.0, frozen=True)
    kept = {weight.path for weight in learned_weights(network.encoder)}
    moved = {weight.path for weight in frozen.trainable_weights}
    assert not kept & moved
    assert any(path.startswith("place") for path in moved)
    assert {w.path for w in trainee.trainable_weights} & kept


def test_a_backbone_streams_through_the_interpreter() -> None:
    network = build_network(
        NetworkSettings(encoder="mobilenet_v3_small", width=0.5, units=8, motion=True),
        (32, 32, 3), 3, seed=2,
    )  # fmt: skip
    frames = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    model = to_float_tflite(step_model(network))
    scores = run_stream(Engine(model, ("a", "b", "c"), "float32"), frames)
    expected, _ = network_predictor(network, ("a", "b", "c")).scores(frames, None)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
