"""The image classifiers that come with Keras, as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from tests.journey import edgecrnn

from edgecrnn.convert.conversion import convert
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.subject import keras_subject
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.devices.profile import load_profile
from edgecrnn.runtime.pictures import read_picture

LABELS = ("dark", "middle", "bright")
SIDE = 64
# What each expects of its pixels; None where it says so itself.
MODELS: dict[str, tuple[Callable[..., Any], tuple[float, float] | None]] = {
    "MobileNetV2": (keras.applications.MobileNetV2, (-1.0, 1.0)),
    "MobileNetV3Small": (keras.applications.MobileNetV3Small, None),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three brightnesses, eight pictures of each, of the size that the models read."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for label, level in zip(LABELS, (20, 110, 200), strict=True):
        (root / label).mkdir()
        for number in range(8):
            picture = rng.integers(level, level + 40, (SIDE, SIDE, 3)).astype(np.uint8)
            assert cv2.imwrite(str(root / label / f"{number}.png"), picture)
    return root


def taught(make: Callable[..., Any], pixels: tuple[float, float] | None, root: Path) -> Any:
    """The network with random weights, its last layer solved for the three classes."""
    keras.utils.set_random_seed(0)
    model = make(input_shape=(SIDE, SIDE, 3), alpha=0.5, weights=None, classes=len(LABELS))
    files = [(n, path) for n, label in enumerate(LABELS) for path in (root / label).iterdir()]
    low, high = pixels or (0.0, 255.0)
    frames: np.ndarray = np.stack([read_picture(path)[..., ::-1] for _, path in files])
    frames = frames.astype(np.float32) / 255 * (high - low) + low
    # What training does to the normalisations; without it random layers answer all but the same.
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(frames, training=True)
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    features = np.asarray(keras.Model(model.input, last.input)(frames, training=False))
    features = features.reshape(len(frames), -1)
    middle, spread = features.mean(0), features.std()
    wanted = 6.0 * np.eye(len(LABELS))[[n for n, _ in files]]
    solved = np.linalg.lstsq((features - middle) / spread, wanted - 2.0, rcond=1e-3)[0] / spread
    kernel, _ = last.get_weights()
    last.set_weights([solved.reshape(kernel.shape), -middle @ solved])
    right = np.asarray(model(frames, training=False)).argmax(1) == [n for n, _ in files]
    assert right.all(), "the last layer was to tell the brightnesses apart"
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_it_converts_and_answers_as_keras_does(name: str, pictures: Path, tmp_path: Path) -> None:
    make, pixels = MODELS[name]
    model = taught(make, pixels, pictures)
    path, out = tmp_path / f"{name}.keras", tmp_path / "bundle"
    model.save(path)
    said: list[str] = []
    subject = keras_subject(
        path, LABELS, pictures, ForeignSettings(pixels=pixels), ConvertSettings(), tmp_path,
        said.append,
    )  # fmt: skip
    converted = convert(subject, load_profile("linux-x86_64"), out, ConvertSettings())
    assert "scores: the model ends in a softmax, which is kept" in said
    assert {"float32", "int8-mixed"} <= set(converted.shipped)
    assert converted.keras_accuracy == 1.0
    low, high = pixels or (0.0, 255.0)
    for number, label in enumerate(LABELS):
        done = edgecrnn("run", out, "--source", pictures / label, "--json")
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        files = sorted((pictures / label).iterdir(), key=lambda file: int(file.stem))
        frames: np.ndarray = np.stack([read_picture(file)[..., ::-1] for file in files])
        frames = frames.astype(np.float32) / 255 * (high - low) + low
        wanted = np.asarray(model(frames, training=False)).argmax(1)
        assert wanted.tolist() == [number] * 8
        assert [max(row["scores"], key=row["scores"].get) for row in rows] == [label] * 8
