"""A bundle that answers with a picture by a formula: the negative of the frame."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.files import sha256
from edgecrnn.runtime.manifest import ANSWER_FORMAT, Manifest, Variant
from edgecrnn.runtime.preprocess import Preprocessing

SIDE = 16
_OPS, _TYPES = schema.BuiltinOperator, schema.TensorType


def negative_model(output: str = "picture") -> bytes:
    """A `.tflite`: `frame` float32 to `picture` = 255 - frame."""
    shape = [1, SIDE, SIDE, 3]
    buffers, tensors = [schema.BufferT()], []
    for name, values in (("frame", None), ("white", np.float32(255.0)), (output, None)):
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = name, _TYPES.FLOAT32, 0
        tensor.shape = shape if values is None else []
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            buffers.append(buffer)
            tensor.buffer = len(buffers) - 1
        tensors.append(tensor)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = _OPS.SUB
    code.version = 1
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [1, 0], [2]
    operator.builtinOptions = schema.SubOptionsT()
    operator.builtinOptionsType = schema.BuiltinOptions.SubOptions
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [0], [2]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [_named("frame", 0)], [_named(output, 2)]
    model = schema.ModelT()
    model.version, model.buffers, model.operatorCodes = 3, buffers, [code]
    model.subgraphs, model.signatureDefs = [graph], [signature]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _named(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry


def write_negative(path: Path, answers: float = 255.0, **changes: Any) -> Path:
    """The bundle; its golden answers are `answers` - frame."""
    frames = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    golden = {"frames": frames, "float32": (answers - frames).astype(np.float32)}
    np.savez(buffer, allow_pickle=False, **golden)
    named = {"float32.tflite": negative_model(), "golden.npz": buffer.getvalue()}
    needs = {"tflite-runtime": "1.5", "ai-edge-litert": "1.0"}
    fields: dict[str, Any] = {
        "format": ANSWER_FORMAT,
        "name": "negative",
        "created": "2026-01-01T00:00:00Z",
        "made_by": "test",
        "device": "linux-x86_64",
        "task": "denoise",
        "labels": (),
        "sequence": "patches",
        "preprocessing": Preprocessing(SIDE, SIDE),
        "frame_rate": None,
        "decision": DecisionSettings(),
        "variants": (Variant("float32", "float32.tflite", ("cpu",), "SUB v1", needs),),
        "files": {name: sha256(data) for name, data in named.items()},
        "answer": "picture",
    }
    manifest = json.loads(Manifest(**fields).to_json())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps({**manifest, **changes}))
        for name, data in named.items():
            archive.writestr(name, data)
    return path
