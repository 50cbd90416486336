"""A model with LSTM or GRU answers the same when its recurrence is written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from keras import layers

from edgecrnn.convert.foreign.load import load_foreign
from edgecrnn.convert.foreign.output import scores_of
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.step import form_of, step_model
from edgecrnn.runtime.errors import EdgecrnnError

LABELS = ("a", "b", "c")
PLAIN = ForeignSettings(pixels=(0.0, 255.0))
Save = Callable[[Any], Path]


def of_pictures(*recurrent: Any, end: str = "softmax") -> Any:
    """Columns of a picture's feature map, read by `recurrent`."""
    x = keras.Input((16, 24, 3))
    y = layers.Rescaling(1 / 255)(x)
    y = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(y)
    y = layers.Reshape((12, 48))(layers.Permute((2, 1, 3))(y))
    y = layers.TimeDistributed(layers.Dense(10, activation="tanh"))(layers.Dropout(0.5)(y))
    for layer in recurrent:
        y = layer(y)
    return keras.Model(x, layers.Dense(3, activation=end)(y))


def of_clips(frames: int | None, *recurrent: Any) -> Any:
    """Frames of a clip by one small network, a nested one, then `recurrent`."""
    x = keras.Input((frames, 16, 24, 3))
    cnn = keras.Sequential(
        [
            keras.Input((16, 24, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(6, 3, strides=4, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
        ]
    )
    y = layers.TimeDistributed(cnn)(x)
    y = layers.ReLU()(layers.BatchNormalization()(layers.Dense(12)(y)))
    for layer in recurrent:
        y = layer(y)
    if len(y.shape) == 3:
        y = y[:, -1]
    y = layers.Dense(7, activation="relu")(y)
    return keras.Model(x, layers.Dense(3, activation="softmax")(y))


@pytest.fixture(autouse=True)
def same_weights() -> None:
    """Whatever ran before: some weights give answers that hardly differ."""
    keras.utils.set_random_seed(0)


def compared(path: Path, batch: int = 3, frames: int = 6) -> tuple[float, float]:
    """Largest difference of a score, saved and loaded again; and how far the scores spread."""
    model = load_foreign(path)
    form = form_of(model, PLAIN, "m")
    step = step_model(model, form, PLAIN, LABELS, "m")
    step.model.save(path.with_name("step.keras"))
    loaded = keras.saving.load_model(path.with_name("step.keras"))
    rng = np.random.default_rng(0)
    time = (form.frames or frames,) if form.clip else ()
    pixels = rng.integers(0, 256, (batch, *time, *form.frame_shape)).astype(np.float32)
    # Each picture has a brightness of its own, so that answers differ.
    pixels *= np.linspace(0.2, 1, batch, dtype=np.float32).reshape(-1, *[1] * (pixels.ndim - 1))
    wanted = np.asarray(scores_of(model(pixels, training=False), step.kind))
    got = in_steps(loaded, pixels) if form.clip else np.asarray(loaded({"frame": pixels})["scores"])
    return float(np.abs(got - wanted).max()), float(np.ptp(wanted, axis=0).max())


def in_steps(model: Any, pixels: np.ndarray) -> np.ndarray:
    """The scores after the last frame, one frame at a time from a state of zeros."""
    names = [tensor.name for tensor in model.inputs if tensor.name != "frame"]
    sizes = {tensor.name: tensor.shape[1] for tensor in model.inputs}
    state = {name: np.zeros((len(pixels), sizes[name]), np.float32) for name in names}
    for index in range(pixels.shape[1]):
        out = model({"frame": pixels[:, index], **state})
        state = {name: np.asarray(out[f"{name}_out"]) for name in names}
    return np.asarray(out["scores"])


PICTURES: dict[str, Callable[[], Sequence[Any]]] = {
    "lstm": lambda: [layers.LSTM(5)],
    "lstm without bias": lambda: [layers.LSTM(5, use_bias=False)],
    "gru": lambda: [layers.GRU(5)],
    "gru, reset before": lambda: [layers.GRU(5, reset_after=False)],
    "gru without bias": lambda: [layers.GRU(5, use_bias=False)],
    "two": lambda: [layers.GRU(6, return_sequences=True), layers.LSTM(5)],
    "cells": lambda: [
        layers.RNN(layers.LSTMCell(6), return_sequences=True),
        layers.RNN(layers.GRUCell(5)),
    ],
    "backwards": lambda: [layers.LSTM(6, go_backwards=True, return_sequences=True), layers.GRU(5)],
    "both ways": lambda: [layers.Bidirectional(layers.LSTM(5))],
    "both ways, all steps": lambda: [
        layers.Bidirectional(layers.GRU(5, return_sequences=True), merge_mode="ave"),
        layers.Bidirectional(layers.LSTM(5), merge_mode="mul"),
    ],
}


@pytest.mark.parametrize("recurrent", PICTURES.values(), ids=PICTURES.keys())
def test_over_a_picture(recurrent: Callable[[], Sequence[Any]], saved: Save) -> None:
    difference, spread = compared(saved(of_pictures(*recurrent())))
    assert difference < 1e-5
    assert spread > 1e-3


CLIPS: dict[str, Callable[[], Sequence[Any]]] = {
    "lstm": lambda: [layers.LSTM(5)],
    "gru": lambda: [layers.GRU(5)],
    "gru, reset before": lambda: [layers.GRU(5, reset_after=False)],
    "two": lambda: [layers.LSTM(6, return_sequences=True), layers.GRU(5)],
    "last of all": lambda: [layers.LSTM(6, return_sequences=True), layers.LayerNormalization()],
}


@pytest.mark.parametrize("frames", [5, None])
@pytest.mark.parametrize("recurrent", CLIPS.values(), ids=CLIPS.keys())
def test_over_a_clip_a_frame_at_a_time(
    recurrent: Callable[[], Sequence[Any]], frames: int | None, saved: Save
) -> None:
    difference, spread = compared(saved(of_clips(frames, *recurrent())))
    assert difference < 1e-5
    assert spread > 1e-3


def test_a_clip_of_pictures_whose_columns_are_read(saved: Save) -> None:
    """A recurrence over each frame's columns inside, one over the frames outside."""
    inner = of_pictures(layers.GRU(4), end="linear")
    x = keras.Input((4, 16, 24, 3))
    y = layers.LSTM(5)(layers.TimeDistributed(inner)(x))
    model = keras.Model(x, layers.Dense(3)(y))
    difference, spread = compared(saved(model))
    assert difference < 1e-5
    assert spread > 1e-3


def test_a_reshape_that_keeps_the_frames(saved: Save) -> None:
    x = keras.Input((4, 8, 8, 3))
    y = layers.Reshape((4, -1))(layers.TimeDistributed(layers.Conv2D(2, 3))(x / 255.0))
    difference, _ = compared(saved(keras.Model(x, layers.Dense(3)(layers.LSTM(5)(y)))))
    assert difference < 1e-5


def test_names_that_stand_twice(saved: Save) -> None:
    """An inner model's layers may be called as the outer's, or as operations are here."""
    inner = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(4, 3, name="same"), layers.Flatten(name="reshape")]
    )
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), inner, layers.Dense(3, name="same"), layers.Softmax()]
    )
    assert compared(saved(model))[0] < 1e-5


def test_a_model_of_mixed_precision_computes_in_float32(saved: Save) -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = of_pictures(layers.LSTM(5))
    finally:
        keras.config.set_dtype_policy("float32")
    assert compared(saved(model))[0] < 1e-5


REFUSED: dict[str, tuple[Callable[[], Sequence[Any]], str]] = {
    "Bidirectional": (
        lambda: [layers.Bidirectional(layers.LSTM(3), name="both")],
        "both: expected a model of clips .* got Bidirectional over the clip",
    ),
    "backwards": (
        lambda: [layers.LSTM(3, go_backwards=True, name="past")],
        "past: expected a model of clips .* got LSTM over the clip",
    ),
    "pooling": (
        lambda: [layers.GlobalAveragePooling1D(name="mean")],
        "mean: expected a model of clips .* got GlobalAveragePooling1D over the clip",
    ),
    "convolution": (
        lambda: [layers.Conv1D(3, 3, name="near"), layers.LSTM(3)],
        "near: expected a model of clips .* got Conv1D over the clip",
    ),
    "other norm": (
        lambda: [layers.LayerNormalization(axis=1, name="norm"), layers.LSTM(3)],
        "norm: expected a model of clips .* got LayerNormalization over the clip",
    ),
    "simple": (
        lambda: [layers.SimpleRNN(3, name="plain")],
        "plain: expected a recurrent layer that can be written out .* got SimpleRNN",
    ),
    "activation": (
        lambda: [layers.GRU(3, activation="relu", name="bent")],
        "bent: expected .* got GRUCell with relu and sigmoid",
    ),
    "mask": (
        lambda: [layers.Masking(name="gaps"), layers.LSTM(3)],
        "gaps: expected every step to be read, got a layer that masks some",
    ),
}


@pytest.mark.parametrize(("recurrent", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_a_frame_at_a_time_is_named(
    recurrent: Callable[[], Sequence[Any]], said: str, saved: Save
) -> None:
    with pytest.raises(EdgecrnnError, match=f"^m: {said}"):
        compared(saved(of_clips(5, *recurrent())))


def test_a_model_of_clips_without_memory_is_refused(saved: Save) -> None:
    x = keras.Input((1, 8, 8, 3))
    y = layers.TimeDistributed(layers.Flatten())(x)[:, -1]
    with pytest.raises(EdgecrnnError, match="with an LSTM or GRU, got one without memory"):
        compared(saved(keras.Model(x, layers.Dense(3)(y))))


def test_a_state_from_elsewhere_is_refused(saved: Save) -> None:
    x = keras.Input((16, 16, 3))
    rows = layers.Reshape((16, 48))(x)
    start = layers.Dense(5)(layers.Flatten()(x))
    y = layers.GRU(5, name="told")(rows, initial_state=start)
    with pytest.raises(EdgecrnnError, match="told: expected a recurrent layer that begins with"):
        compared(saved(keras.Model(x, layers.Dense(3)(y))))
