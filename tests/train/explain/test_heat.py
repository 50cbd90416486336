"""Where in the frame: the right map, the right gradient, the right place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
import tensorflow as tf  # noqa: E402

from edgecrnn.runtime.errors import EdgecrnnError  # noqa: E402
from edgecrnn.train.explain.answers import first_counted, logits_of  # noqa: E402
from edgecrnn.train.explain.gradcam import METHODS, heat  # noqa: E402
from edgecrnn.train.explain.last_map import last_map  # noqa: E402
from edgecrnn.train.explain.receptive import onto_pixels  # noqa: E402
from edgecrnn.train.network.network import build_network  # noqa: E402
from edgecrnn.train.network.settings import NetworkSettings  # noqa: E402

layers = keras.layers


def network(shape: tuple[int, int, int] = (32, 48, 3), **chosen: Any) -> Any:
    choices = {"units": 4, "width": 0.25, **chosen}
    return build_network(NetworkSettings(**choices), shape, 3, seed=1)


def operation(tensor: Any) -> str:
    return str(tensor._keras_history.operation.name)


def test_the_light_encoders_map_is_the_one_that_both_readings_come_out_of() -> None:
    encoder = network().encoder
    assert len(encoder.outputs) == 2
    # `squeeze` is the last convolution, but the summary does not pass it.
    assert operation(last_map(encoder)) == "conv_2_relu"


def test_the_documents_map_is_before_the_pooling() -> None:
    assert operation(last_map(network(encoder="document").encoder)) == "conv_2"


def test_a_map_that_a_shortcut_goes_round_is_not_taken_without_it() -> None:
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", name="stem")(inputs)
    y = layers.Conv2D(8, 3, padding="same", name="branch")(x)
    y = layers.Add(name="joined")([x, y])
    y = layers.ReLU(name="out")(y)
    encoder = keras.Model(inputs, [layers.GlobalAveragePooling2D()(y), layers.Flatten()(y)])
    assert operation(last_map(encoder)) == "out"


def test_an_encoder_without_a_shared_convolution_is_refused() -> None:
    inputs = keras.Input((16, 16, 3))
    readings = [layers.Conv2D(4, 3)(inputs), layers.Conv2D(4, 3)(inputs)]
    with pytest.raises(EdgecrnnError, match="expected a convolution that all its 2 readings"):
        last_map(keras.Model(inputs, readings))


def by_one_tape(net: Any, frames: np.ndarray, label: int, warmup: int, method: str) -> np.ndarray:
    """The formulas, with the gradient through one model that gives the map and the readings."""
    both = keras.Model(net.encoder.inputs, [last_map(net.encoder), *net.encoder.outputs])
    kept: list[Any] = []

    class Both:
        def __call__(self, x: Any, training: bool = False) -> Any:
            feature_map, *readings = both(x)
            kept.append(feature_map)
            return readings

    import dataclasses

    with tf.GradientTape() as tape:
        logits = logits_of(dataclasses.replace(net, encoder=Both()), frames[None])[0, :, label]
        target = tf.reduce_mean(logits[first_counted(len(frames), warmup) :])
    gradient, values = tape.gradient(target, kept[0]).numpy(), kept[0].numpy()
    if method == "grad-cam":
        gradient = gradient.mean(axis=(1, 2), keepdims=True)
    else:
        gradient = np.maximum(gradient, 0)
    return np.maximum((gradient * values).sum(axis=-1), 0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "chosen", [{"motion": True}, {"encoder": "document", "motion": False}], ids=str
)
def test_heat_is_the_formula_of_the_paper_on_the_map(method: str, chosen: dict[str, Any]) -> None:
    net = network(**chosen)
    frames = np.random.default_rng(0).integers(0, 256, (6, 32, 48, 3), dtype=np.uint8)
    rows, columns = onto_pixels(last_map(net.encoder))
    found = [heat(net, frames, label, 2, method) for label in range(3)]
    assert max(one.max() for one in found) > 0
    for label, one in enumerate(found):
        expected = rows @ by_one_tape(net, frames, label, 2, method) @ columns.T
        np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-9)


def test_the_warmup_says_whose_logits_are_explained() -> None:
    net = network(motion=True)
    frames = np.random.default_rng(0).integers(0, 256, (6, 32, 48, 3), dtype=np.uint8)
    # Only the last frame counts, so it alone can make no difference to what was before it.
    late = heat(net, frames, 0, 5)
    assert not np.allclose(late, heat(net, frames, 0, 0))


@pytest.mark.parametrize("top", [8, 40])
@pytest.mark.parametrize("left", [12, 44])
def test_heat_lies_where_the_only_thing_in_the_frame_is(top: int, left: int) -> None:
    """Without biases a black frame gives nothing: whatever heat there is belongs to the square."""
    net = network((64, 64, 3), encoder="document", motion=False)
    frames = np.zeros((1, 64, 64, 3), np.uint8)
    frames[:, top : top + 8, left : left + 8] = 255
    for method in METHODS:
        values = np.stack([heat(net, frames, label, 0, method)[0] for label in range(3)])
        total = values.max(axis=0)
        assert total.max() > 0
        rows, columns = np.nonzero(total > 0.5 * total.max())
        # Within a cell of the map, which is 8 pixels wide.
        assert abs(rows.mean() - (top + 3.5)) < 8 and abs(columns.mean() - (left + 3.5)) < 8
        far = np.ones((64, 64), bool)
        far[max(0, top - 16) : top + 24, max(0, left - 16) : left + 24] = False
        assert not total[far].any()


def test_patches_are_put_together_in_reading_order() -> None:
    net = network((64, 64, 3), sequence="patches", encoder="document", blocks=4)
    frames = np.zeros((1, 64, 64, 3), np.uint8)
    frames[:, 32:48, 16:32] = 255  # the third row's second block
    values = np.stack([heat(net, frames, label, 0)[0] for label in range(3)]).max(axis=0)
    assert values.shape == (64, 64) and values[32:48, 16:32].max() > 0
    values[32:48, 16:32] = 0
    assert not values.any()


def test_columns_give_one_map_of_the_picture() -> None:
    net = network((32, 48, 3), sequence="columns")
    frames = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3), dtype=np.uint8)
    assert heat(net, frames, 1, 0).shape == (1, 32, 48)


@pytest.mark.parametrize("side", [64, 60, 61])
def test_a_cell_is_put_where_the_input_moves_it_most(side: int) -> None:
    """With all weights equal, the gradient's centre of gravity is the receptive field's middle."""
    net = network((side, side, 3), width=0.5, motion=False)
    for layer in net.encoder.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(tf.ones_like(layer.kernel))
    feature_map = last_map(net.encoder)
    rows, columns = onto_pixels(feature_map)
    part = keras.Function(net.encoder.inputs, [feature_map])
    inputs = tf.ones((1, side, side, 3))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        target = tf.reduce_sum(part([inputs])[0][0, 3, 4])
    moved = tape.gradient(target, inputs).numpy()[0].sum(axis=-1)
    down, right = (np.arange(side) @ moved.sum(axis=a) / moved.sum() for a in (1, 0))
    assert down == pytest.approx(rows[:, 3].argmax(), abs=1e-3)
    assert right == pytest.approx(columns[:, 4].argmax(), abs=1e-3)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)


def test_a_padding_layer_moves_the_middle() -> None:
    inputs = keras.Input((32, 32, 3))
    x = layers.ZeroPadding2D(((1, 0), (0, 1)))(inputs)
    x = layers.Conv2D(4, 3, strides=2, padding="valid")(x)
    rows, columns = onto_pixels(x)
    assert rows[:, 1].argmax() == 2 and columns[:, 1].argmax() == 3
