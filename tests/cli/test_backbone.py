"""`edgecrnn train --weights FILE --frozen-epochs N`: the new layers learn first, then all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from tests.journey import edgecrnn, write_pictures

from edgecrnn.train.run_folder import load_model

pytestmark = pytest.mark.slow


def test_the_backbone_is_kept_at_first_and_moves_later(tmp_path: Path) -> None:
    backbone = keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3), include_top=False, weights=None, include_preprocessing=False,
        alpha=0.5,
    )  # fmt: skip
    backbone.save_weights(tmp_path / "small.weights.h5")
    data = write_pictures(tmp_path / "data")
    done = edgecrnn(
        "train", data, "--out", tmp_path / "run", "--size", "32x32", "--encoder",
        "mobilenet_v3_small", "--width", "0.5", "--units", "4", "--batch", "4", "--no-baseline",
        "--weights", tmp_path / "small.weights.h5", "--frozen-epochs", "1", "--epochs", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.index("frozen 1:") < done.stderr.index("network 1:")
    learned = np.asarray(backbone.get_layer("conv").kernel)
    with np.load(tmp_path / "run/frozen-checkpoint.npz") as kept:
        now = [kept[name] for name in kept.files if name.startswith("now_")]
    assert any(value.shape == learned.shape and np.array_equal(value, learned) for value in now)
    model = load_model(tmp_path / "run")
    moved = np.asarray(model.get_layer("encoder").get_layer("conv").kernel)
    assert not np.array_equal(moved, learned)
    assert json.loads((tmp_path / "run/run.json").read_text())["train"]["frozen_epochs"] == 1


def test_frozen_epochs_without_weights_are_refused(tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "data", per_class=4)
    done = edgecrnn("train", data, "--out", tmp_path / "run", "--frozen-epochs", "2")
    assert done.returncode == 2
    assert "frozen_epochs: expected 0 where nothing was learned elsewhere, got 2" in done.stderr
    assert not (tmp_path / "run").exists()
