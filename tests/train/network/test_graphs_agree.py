"""One network, several graphs over the same layers: they say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

keras = pytest.importorskip("keras")

from edgecrnn.train.network.cell import LSTMCell  # noqa: E402
from edgecrnn.train.network.clip_graph import clip  # noqa: E402
from edgecrnn.train.network.network import (  # noqa: E402
    Network,
    build_network,
    network_of,
    step_model,
    zero_states,
)
from edgecrnn.train.network.settings import NetworkSettings  # noqa: E402
from edgecrnn.train.predictors import network_predictor  # noqa: E402

LABELS = ("a", "b", "c")
SHAPE = (16, 24, 3)
FRAMES = np.random.default_rng(0).integers(0, 256, (12, *SHAPE), dtype=np.uint8)


def network(**chosen: Any) -> Network:
    choices = {"units": 8, "width": 0.25, **chosen}
    return build_network(NetworkSettings(**choices), SHAPE, len(LABELS), seed=1)


def step_by_step(model: Any, frames: np.ndarray, states: dict[str, Any]) -> np.ndarray:
    rows = []
    for frame in frames:
        pixels = keras.ops.convert_to_tensor(frame[None].astype(np.float32))
        out = model({"frame": pixels, **states})
        rows.append(np.asarray(out["scores"])[0])
        states = {name: out[f"{name}_out"] for name in states}
    return np.stack(rows)


@pytest.mark.parametrize(
    "chosen",
    [
        {"motion": True},
        {"motion": False},
        {"layers": 2},
        {"encoder": "document", "layers": 2, "motion": False},
    ],
    ids=str,
)
def test_the_step_graph_fed_frame_by_frame_equals_the_clip_graph(chosen: dict[str, Any]) -> None:
    net = network(**chosen)
    logits, _ = clip(net, FRAMES[None].astype(np.float32), zero_states(net, 1))
    of_clip = np.asarray(keras.ops.softmax(logits))[0]
    of_steps = step_by_step(step_model(net), FRAMES, zero_states(net, 1))
    np.testing.assert_allclose(of_steps, of_clip, atol=1e-5)
    of_stream, _ = network_predictor(net, LABELS).scores(FRAMES, None)
    np.testing.assert_allclose(of_stream, of_clip, atol=1e-5)


PREDICTOR = network_predictor(network(motion=True), LABELS)
WHOLE, _ = PREDICTOR.scores(FRAMES, None)


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(1, len(FRAMES) - 1))
def test_a_stream_continues_from_its_state_wherever_it_is_split(cut: int) -> None:
    first, state = PREDICTOR.scores(FRAMES[:cut], None)
    second, _ = PREDICTOR.scores(FRAMES[cut:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), WHOLE, atol=1e-5)


@pytest.mark.parametrize("sequence", ["time", "columns", "patches"])
def test_a_saved_model_holds_the_lstm_and_says_the_same(sequence: str, tmp_path: Path) -> None:
    net = network(sequence=sequence, blocks=2)
    before, _ = network_predictor(net, LABELS).scores(FRAMES, None)
    step_model(net).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert "lstm_0" in [layer.name for layer in loaded.layers]
    after, _ = network_predictor(network_of(loaded, net.settings), LABELS).scores(FRAMES, None)
    np.testing.assert_array_equal(after, before)


def test_the_cell_is_the_lstm_of_keras() -> None:
    reference = keras.layers.LSTM(5, return_sequences=True)
    x = np.random.default_rng(2).normal(size=(3, 7, 4)).astype(np.float32)
    expected = np.asarray(reference(x))
    cell = LSTMCell(5)
    cell.build((None, 4))
    for mine, theirs in zip(cell.weights, reference.weights, strict=True):
        mine.assign(theirs)
    h = c = np.zeros((3, 5), np.float32)
    for step in range(7):
        h, c = cell(x[:, step], h, c)
        np.testing.assert_allclose(np.asarray(h), expected[:, step], atol=1e-6)


def test_document_is_the_network_of_the_starting_document() -> None:
    net = build_network(NetworkSettings(encoder="document"), (32, 32, 3), 10)
    kinds = [type(layer).__name__ for layer in net.encoder.layers[1:]]
    assert kinds == ["Conv2D", "MaxPooling2D"] * 3
    convolutions = [layer for layer in net.encoder.layers if type(layer).__name__ == "Conv2D"]
    assert [layer.filters for layer in convolutions] == [32, 64, 128]
    assert all(layer.kernel_size == (3, 3) for layer in convolutions)
    assert [cell.units for cell in net.cells] == [128, 128]
