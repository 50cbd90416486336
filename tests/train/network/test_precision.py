"""The encoder may compute in half the bits while it trains; what is saved computes in float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from tests.journey import write_clips

from edgecrnn import cli
from edgecrnn.train.network.clip_graph import clip
from edgecrnn.train.network.network import build_network, plain_copy, zero_states
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.run_folder import load_model, read_record

SETTINGS = NetworkSettings(width=0.25, units=4, dropout=0.0)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_the_same_weights_answer_alike(precision: str) -> None:
    half = build_network(SETTINGS, (16, 16, 3), 3, 0, precision)
    assert half.encoder.compute_dtype == precision and half.head.compute_dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"
    full = plain_copy(half, 3)
    assert full.encoder.compute_dtype == "float32"
    frames = np.random.default_rng(0).uniform(0, 255, (2, 4, 16, 16, 3)).astype(np.float32)
    one, _ = clip(half, frames, zero_states(half, 2))
    other, _ = clip(full, frames, zero_states(full, 2))
    assert np.allclose(one, other, atol=0.02) and not np.array_equal(one, other)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_run_trained_in_half_is_saved_in_full(precision: str, tmp_path: Path) -> None:
    data = write_clips(tmp_path / "data", per_class=6, frames=8)
    flags = "--size 16x16 --units 4 --width 0.25 --epochs 12 --batch 4 --window 2 --no-baseline"
    flags += " --no-explanations"
    out = tmp_path / "run"
    command = ["train", str(data), "--out", str(out), "--precision", precision, *flags.split()]
    assert cli.main(command) == 0
    record = read_record(out)
    assert all(np.isfinite(line["loss"]) for line in record.history)
    assert record.history[-1]["loss"] < record.history[0]["loss"]
    layers = load_model(out)._flatten_layers()
    assert {layer.compute_dtype for layer in layers} == {"float32"}
