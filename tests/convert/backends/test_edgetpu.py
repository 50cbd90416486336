"""The Edge TPU's rules, on real models; and that its compiler is called and its errors shown.

`edgetpu_compiler` is in no registry. The compiler here is a shell script that stands on the PATH:
it proves the command line and what becomes of its words, nothing of what the real one makes.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.convert.backends import deploy
from edgecrnn.convert.backends import edgetpu as backend
from edgecrnn.convert.flatbuffer import pack, schema, unpack

Codes = schema.BuiltinOperator
# What it writes: the input, its first operator code renamed to the Edge TPU's custom operator.
WRITES = """
echo "Edge TPU Compiler version 16.0.384591198"
echo "On-chip memory used for caching model parameters: 12.00KiB"
echo "$@" > "{log}"
cp "{made}" "$4/model_edgetpu.tflite"
"""


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "edgetpu_compiler"
    script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def changed(model: bytes, operator: int, **options: int) -> bytes:
    """The model with options of every such operator set."""
    parsed = unpack(model)
    for op in parsed.subgraphs[0].operators:
        if parsed.operatorCodes[op.opcodeIndex].builtinCode == operator:
            for name, value in options.items():
                assert hasattr(op.builtinOptions, name)
                setattr(op.builtinOptions, name, value)
    return pack(parsed)


def rules(model: bytes) -> str:
    return "; ".join(backend.check(model, backend.Settings()))


def test_the_step_graph_keeps_every_rule(models: dict[str, bytes]) -> None:
    assert rules(models["int8"]) == ""


@pytest.mark.parametrize("recipe", ["float32", "float16", "int8-mixed"])
def test_a_float_model_is_refused(models: dict[str, bytes], recipe: str) -> None:
    found = deploy("edgetpu", {}, {"int8": models[recipe]})
    assert found.model is None
    assert found.refused.startswith("the Edge TPU takes all-integer int8 only")


def test_an_operator_that_it_has_not(strange: bytes) -> None:
    assert "the Edge TPU does not run 2 CUMSUM, and leaves all that comes after" in rules(strange)


def test_a_batch(batch_of_two: bytes) -> None:
    said = rules(batch_of_two)
    assert "the Edge TPU takes a batch of 1, and step_frame:0 is [2, 16, 16, 3]" in said


def test_a_dynamic_shape(models: dict[str, bytes]) -> None:
    parsed = unpack(models["int8"])
    tensor = parsed.subgraphs[0].tensors[parsed.subgraphs[0].inputs[0]]
    tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)
    assert "the Edge TPU takes static shapes" in rules(pack(parsed))


def test_more_than_three_dimensions(models: dict[str, bytes]) -> None:
    parsed = unpack(models["int8"])
    graph = parsed.subgraphs[0]
    pooled = next(
        op
        for op in graph.operators
        if parsed.operatorCodes[op.opcodeIndex].builtinCode == Codes.MAX_POOL_2D
    )
    graph.tensors[pooled.outputs[0]].shape = np.array([2, 2, 1, 4], np.int32)
    assert "the Edge TPU takes tensors of three dimensions, the outer ones 1" in rules(pack(parsed))


@pytest.mark.parametrize(
    ("operator", "options", "said"),
    [
        (Codes.MAX_POOL_2D, {"fusedActivationFunction": 1}, "MAX_POOL_2D without a fused"),
        (Codes.CONV_2D, {"dilationWFactor": 2}, "CONV_2D with one dilation in x and y, got (2, 1)"),
        (Codes.STRIDED_SLICE, {"newAxisMask": 1}, "STRIDED_SLICE with strides of 1"),
    ],
)
def test_limits_of_single_operators(
    models: dict[str, bytes], operator: int, options: dict[str, int], said: str
) -> None:
    assert said in rules(changed(models["int8"], operator, **options))


def test_without_the_compiler_a_sentence_says_how_to_get_it(
    models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = deploy("edgetpu", {}, models)
    assert found.recipe == "int8" and found.model is None
    assert "expected edgetpu_compiler on the PATH, got none" in found.refused
    assert found.refused.endswith("then apt install edgetpu-compiler")


def test_the_command_and_what_it_wrote(
    models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parsed = unpack(models["int8"])
    for code in parsed.operatorCodes:
        if code.builtinCode == Codes.CONV_2D:
            code.builtinCode = code.deprecatedBuiltinCode = Codes.CUSTOM
            code.customCode = b"edgetpu-custom-op"
    (tmp_path / "made.tflite").write_bytes(pack(parsed))
    body = WRITES.format(log=tmp_path / "log", made=tmp_path / "made.tflite")
    stand_in(tmp_path, monkeypatch, body)
    found = deploy("edgetpu", {"min_runtime_version": 13}, models)
    assert found.refused == "" and found.model is not None
    command = (tmp_path / "log").read_text(encoding="utf-8").strip()
    assert re.fullmatch(r"--min_runtime_version 13 --out_dir (\S+) \1/model.tflite", command)
    placement = found.placement
    assert placement is not None and placement.status == "unproven"
    assert placement.taken == {"CONV_2D": 4} and placement.left["TANH"] == 2
    assert placement.facts["compiler"] == "edgetpu_compiler 16.0.384591198"
    assert placement.facts["library"] == "libedgetpu.so.1"
    key = "On-chip memory used for caching model parameters"
    assert placement.facts[key] == "12.00KiB"
    with zipfile.ZipFile(io.BytesIO(found.model)) as archive:
        assert archive.read("labels.txt").split() == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            'echo "Internal compiler error. Aborting!"; exit 1',
            "it ended with code 1: Internal compiler error. Aborting!",
        ),
        (
            'echo "Invalid model: model.tflite"; echo "Model not quantized"',
            "it printed an error: Invalid model: model.tflite",
        ),
        ("kill -SEGV $$", "it was killed by SIGSEGV"),
        ("echo Done", "expected it to write model_edgetpu.tflite, got none; it said: Done"),
        ('cp "$5" "$4/model_edgetpu.tflite"', "expected operators for the Edge TPU, got none"),
    ],
)
def test_a_compiler_that_fails(
    models: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    body: str,
    said: str,
) -> None:
    stand_in(tmp_path, monkeypatch, body)
    found = deploy("edgetpu", {}, models)
    assert found.model is None and found.placement is None
    assert said in found.refused
