"""Each recipe gives a model that computes as it says, and close to the float one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.convert.calibrate import Sample, roll_out
from edgecrnn.convert.certificate import run_stream
from edgecrnn.convert.flatbuffer import operators, schema, unpack
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import Ranges, measure
from edgecrnn.convert.recipe import load_recipe, recipe_names
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings

LABELS = ("a", "b", "c")
FLOAT32, FLOAT16, INT8 = (
    schema.TensorType.FLOAT32,
    schema.TensorType.FLOAT16,
    schema.TensorType.INT8,
)


@pytest.fixture(scope="module")
def ranges(float_model: bytes, samples: list[Sample]) -> Ranges:
    return measure(float_model, samples)


@pytest.fixture(scope="module")
def made(float_model: bytes, ranges: Ranges) -> dict[str, bytes]:
    return {name: quantize(float_model, load_recipe(name), ranges) for name in recipe_names()}


def types(model: bytes) -> set[int]:
    return {tensor.type for tensor in unpack(model).subgraphs[0].tensors}


def signature_types(model: bytes) -> set[int]:
    parsed = unpack(model)
    signature, tensors = parsed.signatureDefs[0], parsed.subgraphs[0].tensors
    return {tensors[e.tensorIndex].type for e in (*signature.inputs, *signature.outputs)}


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_stays_close_to_float(
    name: str, made: dict[str, bytes], float_model: bytes, frames: np.ndarray
) -> None:
    exact = run_stream(Engine(float_model, LABELS, "float"), frames)
    scores = run_stream(Engine(made[name], LABELS, name), frames)
    assert np.abs(scores - exact).max() < 0.1
    assert scores.shape == exact.shape


def test_int8_is_integer_everywhere_the_states_too(made: dict[str, bytes]) -> None:
    assert signature_types(made["int8"]) == {INT8}
    assert FLOAT32 not in types(made["int8"])
    assert "DEQUANTIZE" not in {name for name, _ in operators(made["int8"])}


def test_int8_mixed_keeps_the_states_in_float(made: dict[str, bytes]) -> None:
    parsed = unpack(made["int8-mixed"])
    tensors = parsed.subgraphs[0].tensors
    by_name = {e.name: tensors[e.tensorIndex] for e in parsed.signatureDefs[0].outputs}
    assert by_name[b"c0_out"].type == by_name[b"h0_out"].type == FLOAT32
    assert INT8 in types(made["int8-mixed"])


def test_dynamic_holds_its_weights_in_int8_and_nothing_else(made: dict[str, bytes]) -> None:
    assert signature_types(made["dynamic"]) == {FLOAT32}
    assert "QUANTIZE" not in {name for name, _ in operators(made["dynamic"])}
    assert len(made["dynamic"]) < 0.7 * len(made["float32"])


def test_float16_holds_its_weights_in_float16(made: dict[str, bytes]) -> None:
    assert FLOAT16 in types(made["float16"])
    assert signature_types(made["float16"]) == {FLOAT32}


def test_a_state_is_carried_on_without_rounding(made: dict[str, bytes]) -> None:
    engine = Engine(made["int8"], LABELS, "int8")
    assert [state.table for state in engine._states] == [None] * len(engine._states)


def test_pixels_come_in_as_they_are(made: dict[str, bytes]) -> None:
    engine = Engine(made["int8"], LABELS, "int8")
    assert (engine._frame.scale, engine._frame.zero_point) == (1.0, -128)


@pytest.mark.parametrize(
    ("sequence", "encoder"),
    [("columns", "light"), ("columns", "plain"), ("columns", "document"), ("patches", "light")],
)
def test_every_recipe_takes_pictures_too(sequence: str, encoder: str, frames: np.ndarray) -> None:
    chosen = NetworkSettings(
        sequence=sequence, encoder=encoder, units=8, layers=1, width=0.25, blocks=2
    )
    model = to_float_tflite(step_model(build_network(chosen, (16, 16, 3), 3, seed=1)))
    exact = Engine(model, LABELS, "float32")
    ranges = measure(model, roll_out(exact, frames[:60]))
    for name in recipe_names():
        engine = Engine(quantize(model, load_recipe(name), ranges), LABELS, name)
        difference = run_stream(engine, frames[:40]) - run_stream(exact, frames[:40])
        assert np.abs(difference).max() < 0.1, name


def test_the_document_network_converts_as_a_stream_too(frames: np.ndarray) -> None:
    chosen = NetworkSettings(encoder="document", units=8, width=0.25)
    model = to_float_tflite(step_model(build_network(chosen, (16, 16, 3), 3, seed=1)))
    exact = Engine(model, LABELS, "float32")
    ranges = measure(model, roll_out(exact, frames))
    for name in recipe_names():
        engine = Engine(quantize(model, load_recipe(name), ranges), LABELS, name)
        difference = run_stream(engine, frames) - run_stream(exact, frames)
        assert np.abs(difference).max() < 0.1, name


def test_a_recipe_of_ones_own_keeps_a_layer_in_float(
    tmp_path: Path, float_model: bytes, ranges: Ranges
) -> None:
    own = tmp_path / "first-float.toml"
    own.write_text(
        'decodes = "the first convolution in float"\nkind = "int8"\ninteger = ["*"]\n'
        'keep = ["conv_0"]\n'
    )
    model = quantize(float_model, load_recipe(str(own)), ranges)
    graph = unpack(model).subgraphs[0]
    convolutions = [
        graph.tensors[operator.inputs[1]].type
        for operator, (name, _) in zip(graph.operators, operators(model), strict=True)
        if name == "CONV_2D"
    ]
    assert convolutions[0] == FLOAT32
    assert set(convolutions[1:]) == {INT8}


def test_dense_weights_with_one_scale_for_older_runtimes(
    float_model: bytes, ranges: Ranges
) -> None:
    recipe = dataclasses.replace(load_recipe("int8"), dense="tensor")
    model = quantize(float_model, recipe, ranges)
    graph = unpack(model).subgraphs[0]
    for operator, (name, _) in zip(graph.operators, operators(model), strict=True):
        if name == "FULLY_CONNECTED":
            assert len(graph.tensors[operator.inputs[1]].quantization.scale) == 1


def test_an_operator_that_there_is_not_is_named(float_model: bytes, ranges: Ranges) -> None:
    recipe = dataclasses.replace(load_recipe("int8"), integer=("CONVOLVE",))
    with pytest.raises(EdgecrnnError, match=r"expected TFLite operators .* got 'CONVOLVE'"):
        quantize(float_model, recipe, ranges)
