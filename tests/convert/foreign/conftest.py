"""Small Keras models, and folders of pictures and clips, as a person has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from tests.journey import write_clips, write_pictures

LABELS = ("dark", "bright")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of dark and of bright pictures, 20 of each."""
    return write_pictures(tmp_path_factory.mktemp("pictures") / "data", 20)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of clips of 20 frames that flicker or stand still, 8 of each."""
    return write_clips(tmp_path_factory.mktemp("clips") / "data", 8, 20)


@pytest.fixture(scope="session")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile without bounds: an untrained model's decisions are close calls."""
    own = (Path(__file__).parents[3] / "devices/profiles/linux-x86_64.toml").read_text()
    lines = [line for line in own.splitlines() if not line.startswith(("accuracy_", "agreement"))]
    path = tmp_path_factory.mktemp("profile") / "loose.toml"
    path.write_text("\n".join([*lines, "accuracy_drop = 100.0", "agreement = 0.0", ""]))
    return path


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], Path]:
    """Save a model as a person does; its weights are moved so that its answers differ."""

    def save(model: Any, name: str = "model") -> Path:
        stir(model)
        path = tmp_path / f"{name}.keras"
        model.save(path)
        return path

    return save


def stir(model: Any) -> None:
    """Move every weight, biases too, so that nothing is right by being zero."""
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        spread = 0.7 / max(1, weight.shape[0]) ** 0.5
        weight.assign(weight + rng.normal(0, spread, weight.shape))


def small_cnn(*end: Any, size: tuple[int | None, ...] = (16, 16, 3), start: Any = None) -> Any:
    """A few convolutions and what `end` puts behind them."""
    first = [start] if start is not None else []
    body = [keras.layers.Conv2D(6, 3, activation="relu"), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input(size), *first, *body, *end])
