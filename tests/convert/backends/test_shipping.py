"""What becomes of a delegate in the bundle: a variant of its own, or a reason and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgecrnn.convert.backends import Deployment, Placement, deploy
from edgecrnn.convert.certificate import Finding
from edgecrnn.convert.shipping import compiled, deployment_said, shipped_variants


def finding(variant: str, operator: str) -> Finding:
    return Finding(
        variant=variant, decodes="", bytes=1, accuracy=1.0, agreement=1.0, agreement_tflite=1.0,
        worst_class="a", worst_drop=0.0, mean_difference=0.0, largest_difference=0.0, drift=(),
        operators={operator: 1}, operator=operator, runtimes={"ai-edge-litert": "1.0"},
        delegated=1, left={}, partitions=1, milliseconds=1.0, refused="",
    )  # fmt: skip


FINDINGS = [finding("int8", "ADD v2"), finding("float32", "ADD v1")]
ORDER = ("int8", "float32")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("kill -SEGV $$", "it was killed by SIGSEGV"),
        ("echo 'Internal compiler error. Aborting!'; exit 1", "Internal compiler error."),
    ],
)
def test_a_compiler_that_crashes_or_prints_an_error_adds_no_variant(
    body: str, said: str, models: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real process in the place of a compiler that is in no registry; its message is shown."""
    tool = tmp_path / "edgetpu_compiler"
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = deploy("edgetpu", {}, models)
    assert compiled([found], models) == []
    variants = shipped_variants(ORDER, models, FINDINGS, [found], "")
    assert [(one.name, one.delegates) for one in variants] == [
        ("int8", ("cpu",)),
        ("float32", ("cpu",)),
    ]
    in_certificate = deployment_said(found)
    assert said in in_certificate["refused"] and in_certificate["bytes"] is None


def test_what_was_compiled_for_an_npu_comes_last(models: dict[str, bytes]) -> None:
    """A runtime that was not told to use the NPU takes the first, which runs anywhere."""
    placed = Placement({"ADD": 1}, {}, 1, "estimated", {})
    npu = Deployment("ethos-u", "int8", b"compiled", placed, "")
    cpu = Deployment("cpu", "int8", models["int8"], placed, "")
    variants = shipped_variants(ORDER, models, FINDINGS, [npu, cpu], "")
    assert [(one.name, one.file, one.delegates) for one in variants] == [
        ("int8", "int8.tflite", ("cpu",)),
        ("float32", "float32.tflite", ("cpu",)),
        ("int8.ethos-u", "int8.ethos-u.tflite", ("ethos-u",)),
    ]
    assert deployment_said(npu)["bytes"] == len(b"compiled")
