"""A model whose answers are known by a formula: it names the colour that it has seen of late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

COLORS = ("red", "green", "blue")
SIDE = 16
_OPS = schema.BuiltinOperator
_TYPES = schema.TensorType
Image = npt.NDArray[np.uint8]


def color_model(memory: bool, float_pixels: bool = False) -> bytes:
    """A `.tflite`: softmax of 20 times the mean of each channel; with `memory`, of a state
    that keeps half of what it was (h_out = h / 2 + mean / 2). Pixels are uint8 or float32."""
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, model.operatorCodes = [], [], []

    def tensor(name: str, shape: Sequence[int], kind: int, values: Any = None) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), kind, 0
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.asarray(values).tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(code: int, inputs: list[int], output: int, options: Any = None) -> int:
        opcode = schema.OperatorCodeT()
        opcode.builtinCode = opcode.deprecatedBuiltinCode = code
        opcode.version = 1
        model.operatorCodes.append(opcode)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = (
            len(model.operatorCodes) - 1,
            inputs,
            [output],
        )
        if options is not None:
            made.builtinOptions = options
            made.builtinOptionsType = getattr(
                schema.BuiltinOptions, type(options).__name__.removesuffix("T")
            )
        graph.operators.append(made)
        return output

    def floats(name: str) -> int:
        return tensor(name, (1, 3), _TYPES.FLOAT32)

    def scaled(value: int, factor: float, name: str) -> int:
        by = tensor(f"{name}/by", (), _TYPES.FLOAT32, np.float32(factor))
        return operator(_OPS.MUL, [value, by], floats(name), schema.MulOptionsT())

    shape = (1, SIDE, SIDE, 3)
    frame = tensor("frame", shape, _TYPES.FLOAT32 if float_pixels else _TYPES.UINT8)
    pixels = frame
    if not float_pixels:
        pixels = tensor("pixels", shape, _TYPES.FLOAT32)
        operator(_OPS.CAST, [frame], pixels, schema.CastOptionsT())
    axes = tensor("axes", (2,), _TYPES.INT32, np.array([1, 2], np.int32))
    mean = operator(_OPS.MEAN, [pixels, axes], floats("mean"), schema.ReducerOptionsT())
    ends: tuple[dict[str, int], dict[str, int]] = ({"frame": frame}, {})
    if memory:
        h = ends[0]["h0"] = floats("h0")
        kept, new = scaled(h, 0.5, "kept"), scaled(mean, 0.5 / 255, "new")
        mean = operator(_OPS.ADD, [kept, new], floats("h0_out"), schema.AddOptionsT())
        ends[1]["h0_out"] = mean
    logits = scaled(mean, 20.0 if memory else 20.0 / 255, "logits")
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    ends[1]["scores"] = operator(_OPS.SOFTMAX, [logits], floats("scores"), softmax)
    graph.inputs, graph.outputs = list(ends[0].values()), list(ends[1].values())
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = ([_named(n, i) for n, i in e.items()] for e in ends)
    model.subgraphs, model.signatureDefs = [graph], [signature]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _named(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry


def golden_of_colors(memory: bool) -> dict[str, npt.NDArray[Any]]:
    """Frames, and what `color_model` must answer, by the formula in its docstring."""
    frames = np.stack([cv2.resize(picture_of(c), (SIDE, SIDE))[..., ::-1] for c in COLORS * 3])
    h, scores = np.zeros(3), []
    for frame in frames:
        mean = frame.mean((0, 1)) / 255
        h = h / 2 + mean / 2 if memory else mean
        raised = np.exp(20 * h)
        scores.append(raised / raised.sum())
    return {"frames": frames, "float32": np.stack(scores).astype(np.float32)}


def picture_of(color: str, height: int = 48, width: int = 64) -> Image:
    """A BGR picture of one colour with a little noise."""
    image = np.random.default_rng(0).integers(0, 30, (height, width, 3), np.uint8)
    image[..., 2 - COLORS.index(color)] += 200
    return image
