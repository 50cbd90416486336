"""What goes into a model and what comes out of it is what it was trained with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from keras import layers
from tests.convert.foreign.conftest import small_cnn

from edgecrnn.convert.foreign.load import load_foreign
from edgecrnn.convert.foreign.pixels import scaled_numbers, settle_pixels
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.step import form_of, step_model
from edgecrnn.runtime.errors import EdgecrnnError

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
UNIT = ForeignSettings(pixels=(0.0, 1.0))
Save = Callable[[Any], Path]


def made(
    path: Path, labels: tuple[str, ...], settings: ForeignSettings = UNIT
) -> tuple[np.ndarray, str]:
    model = load_foreign(path)
    step = step_model(model, form_of(model, settings, "m"), settings, labels, "m")
    return np.asarray(step.model({"frame": PIXELS.astype(np.float32)})["scores"]), step.kind


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize(
    ("settings", "prepared"),
    [
        (ForeignSettings(pixels=(0, 255)), PIXELS.astype(np.float32)),
        (UNIT, PIXELS / np.float32(255)),
        (ForeignSettings(pixels=(-1, 1)), PIXELS / np.float32(127.5) - 1),
        (
            ForeignSettings(imagenet="torch"),
            (PIXELS / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        ),
        (ForeignSettings(imagenet="caffe"), PIXELS[..., ::-1] - [103.939, 116.779, 123.68]),
    ],
)
def test_pixels_are_as_in_training(
    settings: ForeignSettings, prepared: np.ndarray, saved: Save
) -> None:
    path = saved(small_cnn(layers.Dense(3)))
    wanted = softmax(np.asarray(keras.saving.load_model(path)(prepared.astype(np.float32))))
    np.testing.assert_allclose(made(path, ("a", "b", "c"), settings)[0], wanted, atol=1e-5)
    np.testing.assert_allclose(scaled_numbers(PIXELS, settings), prepared, atol=2e-5)


@pytest.mark.parametrize(
    "start",
    [
        layers.Rescaling(1 / 255),
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Normalization(mean=[120.0, 110.0, 100.0], variance=[3000.0] * 3),
        keras.Sequential([layers.RandomFlip(), layers.Rescaling(1 / 255)]),
    ],
)
def test_a_layer_that_scales_says_it_itself(start: Any, saved: Save) -> None:
    model = load_foreign(saved(small_cnn(layers.Dense(3), start=start)))
    settled, said = settle_pixels(model, ForeignSettings(), 3, "m")
    assert settled.pixels == (0.0, 255.0)
    assert "which the layer" in said


@pytest.mark.parametrize(
    "start", [None, layers.Rescaling(2.0), layers.Normalization(mean=0.5, variance=0.1)]
)
def test_pixels_that_nothing_says_are_asked_for(start: Any, saved: Save) -> None:
    model = load_foreign(saved(small_cnn(layers.Dense(3), start=start)))
    with pytest.raises(EdgecrnnError, match="--pixels 0 255, --pixels 0 1 or --pixels -1 1"):
        settle_pixels(model, ForeignSettings(), 3, "m")


def test_imagenet_is_for_rgb(saved: Save) -> None:
    model = load_foreign(saved(small_cnn(layers.Dense(3), size=(16, 16, 1))))
    with pytest.raises(EdgecrnnError, match="--imagenet: expected a model of RGB"):
        settle_pixels(model, ForeignSettings(imagenet="caffe"), 1, "m")


def test_a_softmax_is_kept(saved: Save) -> None:
    for end in (
        [layers.Dense(3, activation="softmax")],
        [layers.Dense(3), layers.Softmax()],
        [layers.Dense(3), layers.Activation("softmax"), layers.Reshape((3,))],
    ):
        path = saved(small_cnn(*end))
        scores, kind = made(path, ("a", "b", "c"))
        assert kind == "softmax"
        wanted = np.asarray(keras.saving.load_model(path)(PIXELS / np.float32(255)))
        np.testing.assert_allclose(scores, wanted, atol=1e-5)


def test_an_average_of_softmaxes_is_kept(saved: Save) -> None:
    x = keras.Input((16, 16, 3))
    ends = [small_cnn(layers.Dense(3, activation="softmax"))(x) for _ in range(2)]
    assert made(saved(keras.Model(x, layers.Average()(ends))), ("a", "b", "c"))[1] == "softmax"


def test_logits_get_a_softmax(saved: Save) -> None:
    path = saved(small_cnn(layers.Dense(3), layers.Activation("linear")))
    scores, kind = made(path, ("a", "b", "c"))
    assert kind == "linear"
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)


def test_sigmoids_are_kept(saved: Save) -> None:
    path = saved(small_cnn(layers.Dense(3, activation="sigmoid")))
    scores, kind = made(path, ("a", "b", "c"))
    assert kind == "sigmoid"
    wanted = np.asarray(keras.saving.load_model(path)(PIXELS / np.float32(255)))
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_one_number_is_the_score_of_the_second_label(activation: str, saved: Save) -> None:
    path = saved(small_cnn(layers.Dense(1, activation=activation)))
    scores, kind = made(path, ("no", "yes"))
    second = np.asarray(keras.saving.load_model(path)(PIXELS / np.float32(255)))
    if activation == "linear":
        second = 1 / (1 + np.exp(-second))
    assert kind == f"one {activation}"
    np.testing.assert_allclose(scores, np.concatenate([1 - second, second], 1), atol=1e-5)


@pytest.mark.parametrize(
    ("end", "labels", "said"),
    [
        ([layers.Dense(3, activation="relu")], "abc", "got relu in dense.*; end the model in a"),
        ([layers.Dense(3)], "ab", r"labels: expected 3, one for each score of m, got 2 \(a, b\)"),
        ([layers.Dense(1)], "abc", "labels: expected 1, one for each score of m, got 3"),
        ([layers.Reshape((3, 2))], "abc", r"\[batch, labels\], got \(None, 3, 2\)"),
    ],
)
def test_what_is_no_score_a_label_is_refused(
    end: list[Any], labels: str, said: str, saved: Save
) -> None:
    with pytest.raises(EdgecrnnError, match=said):
        made(saved(small_cnn(*end)), tuple(labels))


@pytest.mark.parametrize(
    ("shape", "size", "said"),
    [
        ((16, 16, 2), "", r"3 channels \(RGB\) or 1 \(gray\), got \[16, 16, 2\]"),
        ((3, 16, 16), "", "build the model with data_format='channels_last'"),
        ((48,), "", r"expected pictures .* got \[48\]"),
        ((None, None, 3), "", "say one with --size WxH"),
        ((16, 20, 3), "16x20", r"the size that m reads \(20x16\), got 16x20"),
    ],
)
def test_what_is_no_picture_is_refused(
    shape: tuple[int | None, ...], size: str, said: str, saved: Save
) -> None:
    x = keras.Input(shape)
    y = layers.GlobalAveragePooling2D()(x) if len(shape) == 3 else x
    model = load_foreign(saved(keras.Model(x, layers.Dense(3)(y))))
    with pytest.raises(EdgecrnnError, match=said):
        form_of(model, ForeignSettings(size=size), "m")


def test_a_size_for_a_model_of_any_size(saved: Save) -> None:
    path = saved(small_cnn(layers.Dense(2), size=(None, None, 3)))
    form = form_of(load_foreign(path), ForeignSettings(size="24x16"), "m")
    assert form.frame_shape == (16, 24, 3)


def test_several_inputs_or_outputs_are_refused(saved: Save) -> None:
    one, other = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Add()([one, other]))
    for model, said in (
        (keras.Model([one, other], layers.Dense(3)(pooled)), "got 2 and 1"),
        (small_two_ends(), "got 1 and 2"),
    ):
        with pytest.raises(EdgecrnnError, match=said):
            form_of(load_foreign(saved(model)), UNIT, "m")


def small_two_ends() -> Any:
    x = keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(x)
    return keras.Model(x, [layers.Dense(3)(pooled), layers.Dense(2)(pooled)])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pixels": (1.0, -1.0)}, "expected black and then white"),
        ({"pixels": (0.0, 1.0), "imagenet": "torch"}, "either --pixels or --imagenet"),
        ({"size": "96"}, "expected WIDTHxHEIGHT"),
        ({"imagenet": "tf"}, "expected one of none, caffe, torch"),
    ],
)
def test_settings_that_say_nothing_clear(values: dict[str, Any], said: str) -> None:
    with pytest.raises(EdgecrnnError, match=said):
        ForeignSettings(**values)
