"""A model asks for the runtime that it truly needs, so that an older one refuses it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import edgecrnn
from edgecrnn.convert.calibrate import Sample
from edgecrnn.convert.certificate import run_stream
from edgecrnn.convert.flatbuffer import operators, pack, unpack
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import measure
from edgecrnn.convert.recipe import load_recipe, recipe_names
from edgecrnn.convert.versions import least_runtime, stamp_versions
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.fit import misfit, release

LABELS = ("a", "b", "c")
# The device runtime itself, in the other environment: scores along frames, its state carried.
ASK = """
import sys
import numpy as np
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.interpreter import runtime_version
assert runtime_version() == "tflite-runtime 2.14.0", runtime_version()
with open(sys.argv[1], "rb") as file:
    engine = Engine(file.read(), ("a", "b", "c"), "asked")
state, rows = engine.zero_state(), []
for frame in np.load(sys.argv[2]):
    scores, state = engine.step(frame, state)
    rows.append(scores)
np.save(sys.argv[3], np.stack(rows))
"""


@pytest.fixture(scope="module")
def made(float_model: bytes, samples: list[Sample]) -> dict[str, bytes]:
    ranges = measure(float_model, samples)
    return {name: quantize(float_model, load_recipe(name), ranges) for name in recipe_names()}


def versions(model: bytes) -> dict[str, int]:
    return dict(operators(model))


def unstamped(model: bytes) -> bytes:
    """The model as the quantizer left it: every operator of version 1."""
    parsed = unpack(model)
    for code in parsed.operatorCodes:
        code.version = 1
    return pack(parsed)


def test_int8_operators_carry_the_version_that_knows_int8(made: dict[str, bytes]) -> None:
    found = versions(made["int8"])
    assert found["CONV_2D"] == found["DEPTHWISE_CONV_2D"] == 3
    assert found["FULLY_CONNECTED"] == 4
    assert found["ADD"] == found["TANH"] == found["LOGISTIC"] == found["SOFTMAX"] == 2
    assert versions(made["float32"])["CONV_2D"] == 1


def test_one_operator_may_stand_in_a_model_in_two_versions(made: dict[str, bytes]) -> None:
    # The cell's sums are float, the dense layers' inputs int8.
    pairs = set(operators(made["int8-mixed"]))
    assert ("CONV_2D", 3) in pairs
    assert ("ADD", 1) in pairs
    assert ("CONCATENATION", 2) in pairs or ("CONCATENATION", 1) in pairs


def test_stamping_changes_no_answer(made: dict[str, bytes], frames: np.ndarray) -> None:
    before = run_stream(Engine(unstamped(made["int8"]), LABELS, "a"), frames[:40])
    after = run_stream(Engine(made["int8"], LABELS, "b"), frames[:40])
    np.testing.assert_array_equal(before, after)


def test_stamping_twice_is_stamping_once(made: dict[str, bytes]) -> None:
    for model in made.values():
        assert operators(stamp_versions(model)) == operators(model)


def test_what_each_recipe_needs(made: dict[str, bytes]) -> None:
    needs = {name: least_runtime(model) for name, model in made.items()}
    assert release(needs["float32"].least["tflite-runtime"]) <= (1, 14)
    assert needs["int8"].operator == "FULLY_CONNECTED with a scale a channel"
    assert needs["int8"].least == {"ai-edge-litert": "1.0", "tflite-runtime": "2.10"}
    assert needs["dynamic"].operator == "FULLY_CONNECTED v12"
    assert needs["dynamic"].least == {"ai-edge-litert": "1.0"}


def test_a_misfit_names_operator_versions_and_mend(made: dict[str, bytes]) -> None:
    need = least_runtime(made["dynamic"])
    said = misfit(need.operator, need.least, "tflite-runtime", "2.14.0")
    assert said.startswith("FULLY_CONNECTED v12 needs ai-edge-litert 1.0 or later, got tflite-")
    assert 'dense = "tensor"' in said
    need = least_runtime(made["int8"])
    assert "tflite-runtime 2.10 or later, got tflite-runtime 2.9.1" in misfit(
        need.operator, need.least, "tflite-runtime", "2.9.1"
    )
    assert misfit(need.operator, need.least, "tflite-runtime", "2.10.0") == ""


@pytest.mark.parametrize("name", ["float32", "float16", "int8", "int8-mixed"])
def test_the_older_runtime_gives_the_same_answers(
    name: str, made: dict[str, bytes], frames: np.ndarray, tmp_path: Path, older_runtime: Path
) -> None:
    theirs = ask(older_runtime, tmp_path, made[name], frames[:40])
    ours = run_stream(Engine(made[name], LABELS, name), frames[:40])
    # The two round int8 differently by a few steps of 1/256.
    assert np.abs(theirs - ours).max() < (10 / 256 if name.startswith("int8") else 1e-5)


def test_the_older_runtime_refuses_what_it_would_get_wrong(
    made: dict[str, bytes], frames: np.ndarray, tmp_path: Path, older_runtime: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        ask(older_runtime, tmp_path, made["dynamic"], frames[:1])
    assert "FULLY_CONNECTED' version '12'" in refused.value.stderr
    # Without the stamp it loads, and its answers are others.
    wrong = ask(older_runtime, tmp_path, unstamped(made["dynamic"]), frames[:40])
    right = run_stream(Engine(made["dynamic"], LABELS, "dynamic"), frames[:40])
    assert np.abs(wrong - right).max() > 0.01


def ask(python: Path, folder: Path, model: bytes, frames: np.ndarray) -> np.ndarray:
    (folder / "m.tflite").write_bytes(model)
    np.save(folder / "frames.npy", frames)
    paths = [str(folder / name) for name in ("m.tflite", "frames.npy", "scores.npy")]
    environment = {**os.environ, "PYTHONPATH": str(Path(edgecrnn.__file__).parent.parent)}
    subprocess.run(
        [str(python), "-c", ASK, *paths],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    return np.load(folder / "scores.npy")
