"""A file that is no model, or one that only its maker's code could load, is told in a sentence."""

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

from edgecrnn.convert.foreign.labels import read_labels
from edgecrnn.convert.foreign.load import load_foreign
from edgecrnn.convert.graph import Conversion
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings

Save = Callable[[Any], Path]


@keras.saving.register_keras_serializable(package="somebody")
class Doubled(layers.Layer):
    """A layer of a person's own."""

    def call(self, x: Any) -> Any:
        return x * 2


@keras.saving.register_keras_serializable(package="somebody")
class Own(keras.Model):
    """A subclassed model."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def build(self, shape: Any) -> None:
        self.dense.build(shape)
        self.built = True

    def call(self, x: Any) -> Any:
        return self.dense(x)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.keras", None, "expected a Keras model in a .keras file, got no such file"),
        ("m.keras", b"", "got another file or a damaged one"),
        ("m.keras", b"PK\x03\x04 and no more", "got another file or a damaged one"),
        ("m.h5", b"x", "got the older HDF5 format"),
    ],
)
def test_what_is_no_model(name: str, content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EdgecrnnError, match=said):
        load_foreign(path)


def test_a_model_cut_short(saved: Save) -> None:
    path = saved(small_cnn(layers.Dense(3)))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(EdgecrnnError, match="got another file or a damaged one"):
        load_foreign(path)


def test_weights_of_another_shape(saved: Save, tmp_path: Path) -> None:
    import zipfile

    one, other = saved(small_cnn(layers.Dense(3))), tmp_path / "other.keras"
    with zipfile.ZipFile(one) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b'"units": 3', b'"units": 4')
            new.writestr(name, data)
    with pytest.raises(EdgecrnnError, match="does not load"):
        load_foreign(other)


def test_a_lambda_layer_is_not_run(saved: Save) -> None:
    path = saved(small_cnn(layers.Lambda(lambda x: x * 2, name="twice"), layers.Dense(3)))
    with pytest.raises(EdgecrnnError, match="got the Lambda layer 'twice': it holds code"):
        load_foreign(path)


def test_a_layer_of_ones_own_is_named(saved: Save) -> None:
    path = saved(small_cnn(Doubled(name="louder"), layers.Dense(3)))
    with pytest.raises(EdgecrnnError, match="got 'louder' of the class 'Doubled'"):
        load_foreign(path)


def test_a_subclassed_model_is_refused(tmp_path: Path) -> None:
    model = Own()
    model(np.zeros((1, 4), np.float32))
    model.save(tmp_path / "own.keras")
    with pytest.raises(EdgecrnnError, match=r"a Functional or Sequential model, got .*Own"):
        load_foreign(tmp_path / "own.keras")


def test_a_model_that_train_wrote_is_a_run(tmp_path: Path) -> None:
    chosen = NetworkSettings(units=4, width=0.25)
    step_model(build_network(chosen, (16, 16, 3), 2)).save(tmp_path / "model.keras")
    with pytest.raises(EdgecrnnError, match="give the run's folder"):
        load_foreign(tmp_path / "model.keras")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_named(value: float, saved: Save) -> None:
    model = small_cnn(layers.Dense(3, name="head"))
    path = saved(model)
    model.get_layer("head").bias.assign([0.0, value, 0.0])
    model.save(path)
    with pytest.raises(EdgecrnnError, match="got NaN or infinity in head/bias"):
        load_foreign(path)


def test_a_model_that_keras_quantized_is_refused(saved: Save) -> None:
    model = small_cnn(layers.Dense(3, name="head"))
    path = saved(model)
    model.quantize("int8", filters="head")
    model.save(path)
    with pytest.raises(EdgecrnnError, match="got the layer 'head' quantized to int8"):
        load_foreign(path)


def test_a_layer_that_tflite_cannot_express_is_named(tmp_path: Path) -> None:
    x = keras.Input((8, 8, 3), name="frame")
    y = layers.UpSampling2D(2, interpolation="lanczos5", name="bigger")(x)
    scores = layers.Dense(3, activation="softmax")(layers.Flatten()(y))
    keras.Model({"frame": x}, {"scores": scores}, name="step").save(tmp_path / "m.keras")
    with pytest.raises(EdgecrnnError, match=r"tf\.ScaleAndTranslate in the layer 'bigger'"):
        Conversion(tmp_path / "m.keras").result()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "got no such file"),
        (b"", "got an empty file"),
        (b"\n \n", "got an empty file"),
        (b"a\n\nb\n", "got an empty line 2"),
        (b"a\nb\na\n", "expected different labels, got 'a' 2 times"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_labels_that_say_nothing(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EdgecrnnError, match=said):
        read_labels(path)


def test_labels_as_editors_write_them(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffgrün \r\nred\r\n\r\n".encode())
    assert read_labels(path) == ("grün", "red")
