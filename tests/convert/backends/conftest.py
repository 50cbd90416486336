"""Every variant of a tiny step graph, with metadata as it is shipped."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.convert.calibrate import Sample
from edgecrnn.convert.flatbuffer import pack, schema, unpack
from edgecrnn.convert.metadata import add_metadata
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import measure
from edgecrnn.convert.recipe import load_recipe

LABELS = ("a", "b", "c")


@pytest.fixture(scope="session")
def models(float_model: bytes, samples: list[Sample]) -> dict[str, bytes]:
    """Variant to its bytes: int8, int8-mixed, float16, float32."""
    ranges = measure(float_model, samples)
    return {
        name: add_metadata(quantize(float_model, load_recipe(name), ranges), "tiny", LABELS, 3)
        for name in ("int8", "int8-mixed", "float16", "float32")
    }


@pytest.fixture(scope="session")
def strange(models: dict[str, bytes]) -> bytes:
    """The int8 step with one operator that no NPU here knows: its TANH is a CUMSUM."""
    parsed = unpack(models["int8"])
    for code in parsed.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.TANH:
            code.builtinCode = schema.BuiltinOperator.CUMSUM
            code.deprecatedBuiltinCode = 127
    return pack(parsed)


@pytest.fixture(scope="session")
def batch_of_two(models: dict[str, bytes]) -> bytes:
    """The int8 step whose frame says that there are two."""
    parsed = unpack(models["int8"])
    graph = parsed.subgraphs[0]
    for index in graph.inputs:
        tensor = graph.tensors[index]
        if tensor.name == b"step_frame:0":
            tensor.shape = np.array([2, *tensor.shape[1:]], np.int32)
    return pack(parsed)
