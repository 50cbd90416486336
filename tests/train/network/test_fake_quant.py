"""Training for int8: what is rounded in training is what the int8 graph rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

pytest.importorskip("tensorflow")

import tensorflow as tf

from edgecrnn.convert.calibrate import roll_out
from edgecrnn.convert.certificate import run_stream
from edgecrnn.convert.flatbuffer import operators, unpack
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import measure
from edgecrnn.convert.recipe import load_recipe
from edgecrnn.runtime.engine import Engine
from edgecrnn.train.data.store import one_hot
from edgecrnn.train.network.fake_quant import (
    quantized_trainee,
    round_activation,
    round_weight,
)
from edgecrnn.train.network.network import Network, build_network, step_model, zero_states
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.network.trainee import NetworkTrainee

pytestmark = pytest.mark.slow

LABELS = ("a", "b", "c")
SHAPE = (16, 16, 3)


def network(**chosen: Any) -> Network:
    return build_network(
        NetworkSettings(**{"units": 16, "width": 0.5, "dropout": 0.0, **chosen}), SHAPE, 3, seed=3
    )


def movement(count: int) -> np.ndarray:
    frames = np.random.default_rng(0).integers(0, 60, (count, *SHAPE), dtype=np.uint8)
    for index in range(count):
        frames[index, (index * 2) % 12 :, (index * 3) % 12 :] = 220
    return frames


@given(arrays.arrays(np.float32, (3, 4), elements=st.floats(-100, 100, width=32)))
def test_an_activation_has_at_most_256_values_and_keeps_zero(values: np.ndarray) -> None:
    values = np.append(values, np.float32(0.0))
    rounded = np.asarray(round_activation(tf.constant(values), "features"))
    step = (max(values.max(), 0.0) - min(values.min(), 0.0)) / 255
    assert np.abs(rounded - values).max() <= 0.51 * step + 1e-5
    assert rounded[-1] == 0.0


def test_ranges_that_int8_knows_are_not_measured() -> None:
    values = tf.constant([-2.0, -0.3, 0.2, 0.7, 1.4])
    np.testing.assert_allclose(
        round_activation(values, "sigmoid"), [0.0, 0.0, 51 / 256, 179 / 256, 255 / 256], atol=1e-6
    )
    np.testing.assert_allclose(
        round_activation(values, "tanh"),
        [-1.0, -38 / 128, 26 / 128, 90 / 128, 127 / 128],
        atol=1e-6,
    )
    assert np.asarray(round_activation(values, "cell", 1.0)).max() < 1.01


def test_the_gradient_passes_rounding_and_stops_at_the_bounds() -> None:
    values = tf.Variable([-3.0, 0.3, 0.5, 3.0])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(round_activation(values, "tanh"))
    np.testing.assert_array_equal(tape.gradient(total, values), [0.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize("encoder", ["light", "document", "anywhere"])
def test_weights_are_rounded_as_the_converter_rounds_them(encoder: str) -> None:
    net = network(encoder=encoder, layers=1, motion=False)
    frames = movement(20)
    model = to_float_tflite(step_model(net))
    samples = roll_out(Engine(model, LABELS, "f"), frames)
    graph = unpack(quantize(model, load_recipe("int8"), measure(model, samples)))
    dense = [
        (graph.subgraphs[0].tensors[op.inputs[1]], graph.buffers)
        for op, (name, _) in zip(
            graph.subgraphs[0].operators,
            operators(quantize(model, load_recipe("int8"), measure(model, samples))),
            strict=True,
        )
        if name == "FULLY_CONNECTED"
    ]
    wanted = [np.asarray(round_weight(w.value)).T for w in (
        net.cells[0].recurrent_kernel, net.cells[0].kernel, net.head.kernel
    )]  # fmt: skip
    assert len(dense) == 3
    for tensor, buffers in dense:
        held = np.asarray(buffers[tensor.buffer].data, np.uint8).view(np.int8).astype(np.float32)
        real = held.reshape(tensor.shape) * np.asarray(tensor.quantization.scale)[:, None]
        near = [w for w in wanted if w.shape == real.shape and np.abs(w - real).max() < 1e-5]
        assert len(near) == 1, tensor.name


@pytest.mark.parametrize("chosen", [{}, {"motion": False}, {"encoder": "document", "layers": 1}])
def test_the_rounded_pass_is_near_the_real_int8_graph(chosen: dict[str, Any]) -> None:
    """The seam: the pass that trains, and the converted graph in the interpreter."""
    net = network(**chosen)
    frames = movement(64)
    model = to_float_tflite(step_model(net))
    exact = run_stream(Engine(model, LABELS, "f"), frames)
    samples = roll_out(Engine(model, LABELS, "f"), frames)
    int8 = quantize(model, load_recipe("int8"), measure(model, samples))
    real = run_stream(Engine(int8, LABELS, "q"), frames)
    trainee = quantized_trainee(net)
    logits, _ = trainee(frames[None].astype(np.float32), trainee.zero_states(1), False)
    rounded = np.asarray(tf.nn.softmax(logits))[0]
    # Not equal: ranges are of this window here, of the calibration there. But of the same size.
    assert np.abs(rounded - exact).mean() < 3 * np.abs(real - exact).mean() + 1 / 256
    assert np.abs(rounded - real).max() < 0.05
    assert np.abs(rounded - exact).max() > 0.0


def test_the_state_of_the_rounded_pass_is_carried_beside_the_float_one() -> None:
    net = network()
    trainee = quantized_trainee(net)
    frames = movement(8)[None].astype(np.float32)
    targets = one_hot(np.zeros((1, 8), np.int64), 3)
    states = trainee.zero_states(1)
    assert set(states) == {*zero_states(net, 1), *(f"int8_{n}" for n in zero_states(net, 1))}
    _, _, new = trainee.losses(frames, targets, states, 0.0)
    _, exact = NetworkTrainee(net)(frames, zero_states(net, 1), False)
    np.testing.assert_allclose(new["h0"], exact["h0"], atol=1e-6)
    steps = np.asarray(new["int8_h0"]) * 128
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)


@pytest.mark.parametrize("sequence", ["time", "columns", "patches"])
def test_training_brings_the_two_passes_together(sequence: str) -> None:
    # An encoder that leaves frames as small as these two columns.
    net = network(sequence=sequence, blocks=2, encoder="light")
    trainee = quantized_trainee(net)
    optimizer = tf.keras.optimizers.Adam(0.02)
    steps = 6 if sequence == "time" else 1
    frames = tf.constant(movement(4 * steps).reshape(4, steps, *SHAPE), tf.float32)
    targets = one_hot((np.arange(4)[:, None] + np.zeros((4, steps), np.int64)) % 3, 3)

    @tf.function
    def learn() -> Any:
        with tf.GradientTape() as tape:
            losses, _, _ = trainee.losses(frames, targets, trainee.zero_states(4), 0.0)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, trainee.trainable_weights)
        optimizer.apply_gradients(zip(gradients, trainee.trainable_weights, strict=True))
        return loss, tf.reduce_all([tf.reduce_any(g != 0.0) for g in gradients])

    first, everywhere = learn()
    assert bool(everywhere)
    for _ in range(20):
        last, _ = learn()
    assert float(last) < 0.9 * float(first)
