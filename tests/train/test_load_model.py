"""A model file from anywhere is read without running what is in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.run_folder import load_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.keras"
    step_model(build_network(NetworkSettings(units=4, width=0.25), (16, 16, 3), 2)).save(path)
    return path


def refusal(run: Path) -> str:
    with pytest.raises(EdgecrnnError) as caught:
        load_model(run)
    said = str(caught.value)
    assert said.startswith(f"{run}") and said.endswith("train again") and "\n" not in said
    return said


def rewritten(model: Path, run: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The model's file with another configuration in it."""
    with zipfile.ZipFile(model) as whole, zipfile.ZipFile(run / "model.keras", "w") as copy:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            copy.writestr(name, data)
    return run


def test_a_whole_model_is_read(model: Path) -> None:
    read = load_model(model.parent)
    assert read.get_layer("lstm_0") is not None


def test_a_lambda_layer_is_refused_and_not_run(tmp_path: Path) -> None:
    """It carries Python's own bytecode: whoever wrote the file could run anything."""
    trace = str(tmp_path / "trace")
    frame = keras.Input((4,))
    layer = keras.layers.Lambda(lambda x: (__import__("os").mkdir(trace), x)[1])
    keras.Model(frame, layer(frame)).save(tmp_path / "model.keras")
    Path(trace).rmdir()
    assert "`Lambda` layer" in refusal(tmp_path)
    assert not Path(trace).exists()


def test_a_function_that_the_file_names_is_not_looked_for(tmp_path: Path) -> None:
    frame = keras.Input((4,))
    keras.Model(frame, keras.layers.Lambda(keras.ops.tanh)(frame)).save(tmp_path / "model.keras")

    def outside(config: dict[str, Any]) -> None:
        config["config"]["layers"][1]["config"]["function"] = {
            "module": "os", "class_name": "function", "config": "getpid", "registered_name": None,
        }  # fmt: skip

    (tmp_path / "run").mkdir()
    refusal(rewritten(tmp_path / "model.keras", tmp_path / "run", outside))


def test_a_class_from_outside_keras_is_refused_and_not_run(model: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    def touch(config: dict[str, Any]) -> None:
        config["config"]["layers"][1] |= {
            "module": "pathlib", "class_name": "Path", "registered_name": None,
            "config": {"args": [str(trace)]},
        }  # fmt: skip

    refusal(rewritten(model, tmp_path, touch))

    def call(config: dict[str, Any]) -> None:
        config.update(module="os", class_name="function", config="system", registered_name="system")

    refusal(rewritten(model, tmp_path, call))
    assert not trace.exists()


def test_a_file_that_is_missing_or_is_no_model(tmp_path: Path) -> None:
    assert "expected model.keras in the run, got none" in refusal(tmp_path)
    for data in (b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"no model at all"):
        (tmp_path / "model.keras").write_bytes(data)
        refusal(tmp_path)


def test_a_file_cut_short_or_changed(model: Path, tmp_path: Path) -> None:
    """Either it is refused, or nothing that is read has changed."""
    whole, sound = model.read_bytes(), load_model(model.parent).get_weights()
    rng = np.random.default_rng(0)
    refused = 0
    for number in range(60):
        damaged = bytearray(whole)
        if number % 3 == 0:
            del damaged[rng.integers(len(whole)) :]
        else:
            damaged[rng.integers(len(whole))] ^= rng.integers(1, 256)
        (tmp_path / "model.keras").write_bytes(damaged)
        try:
            read = load_model(tmp_path).get_weights()
        except EdgecrnnError:
            refused += 1
        else:
            for mine, theirs in zip(read, sound, strict=True):
                np.testing.assert_array_equal(mine, theirs)
    assert refused > 20
