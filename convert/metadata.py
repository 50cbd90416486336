"""Labels and normalisation as TFLite metadata, so that other tools can load a variant too.

A flatbuffer of the public metadata schema (identifier M001) in the model's buffer
TFLITE_METADATA, and the file of labels as a zip archive behind the model's end.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence

import flatbuffers

from edgecrnn.convert.flatbuffer import pack, schema, unpack

_BUFFER = "TFLITE_METADATA"
_LABELS = "labels.txt"
# Field numbers and enum values of the metadata schema.
_MODEL_NAME, _MODEL_DESCRIPTION, _MODEL_SUBGRAPHS, _MODEL_PARSER = 0, 1, 3, 7
_GRAPH_NAME, _GRAPH_INPUTS, _GRAPH_OUTPUTS = 0, 2, 3
_TENSOR_NAME, _TENSOR_DESCRIPTION, _TENSOR_CONTENT, _TENSOR_UNITS, _TENSOR_FILES = 0, 1, 3, 4, 6
_CONTENT_TYPE, _CONTENT_VALUE, _IMAGE_PROPERTIES, _COLOR_SPACE = 0, 1, 2, 0
_UNIT_TYPE, _UNIT_VALUE, _NORMALIZATION = 0, 1, 1
_FILE_NAME, _FILE_DESCRIPTION, _FILE_TYPE, _AXIS_LABELS = 0, 1, 2, 2
_RGB, _GRAYSCALE = 1, 2
_DESCRIPTIONS = {
    "frame": "The picture, 0 to 255; normalisation is inside the graph.",
    "scores": "One score a label, adding up to 1.",
    "picture": "The picture that the task answers with, 0 to 255.",
    "map": "Numbers for each pixel, 0 to 1.",
    "grid": "Numbers for each cell of a coarse grid, 0 to 1.",
    "vector": "Numbers of the whole picture.",
    "code": "What a file keeps of each place of 8x8 pixels, whole numbers.",
}


def add_metadata(model: bytes, name: str, labels: Sequence[str], channels: int) -> bytes:
    """The same model with metadata.

    Args:
        model: a `.tflite` with one signature.
        name: of the model, for people.
        labels: in the order of the scores.
        channels: of the frame, 3 (RGB) or 1.
    """
    parsed = unpack(model)
    graph, signature = parsed.subgraphs[0], parsed.signatureDefs[0]
    inputs = _names(graph.inputs, signature.inputs)
    outputs = _names(graph.outputs, signature.outputs)
    buffer = schema.BufferT()
    buffer.data = list(_metadata(name, inputs, outputs, channels))
    entry = schema.MetadataT()
    entry.name, entry.buffer = _BUFFER, len(parsed.buffers)
    parsed.buffers.append(buffer)
    parsed.metadata = [*(parsed.metadata or []), entry]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr(zipfile.ZipInfo(_LABELS, (2020, 1, 1, 0, 0, 0)), "\n".join(labels) + "\n")
    return pack(parsed) + archive.getvalue()


def _names(tensors: Sequence[int], entries: Sequence[object]) -> list[str]:
    """The signature's names in the order of the graph's tensors."""
    by_tensor = {entry.tensorIndex: entry.name.decode() for entry in entries}  # type: ignore[attr-defined]
    return [by_tensor[int(tensor)] for tensor in tensors]


def _metadata(name: str, inputs: list[str], outputs: list[str], channels: int) -> bytes:
    builder = flatbuffers.Builder(1024)
    tables_in = [_tensor(builder, tensor, channels) for tensor in inputs]
    tables_out = [_tensor(builder, tensor, channels) for tensor in outputs]
    graph = _table(
        builder,
        {
            _GRAPH_NAME: _text(builder, "step"),
            _GRAPH_INPUTS: _vector(builder, tables_in),
            _GRAPH_OUTPUTS: _vector(builder, tables_out),
        },
    )
    root = _table(
        builder,
        {
            _MODEL_NAME: _text(builder, name),
            _MODEL_DESCRIPTION: _text(builder, "CRNN by edgecrnn; one step a call."),
            _MODEL_SUBGRAPHS: _vector(builder, [graph]),
            _MODEL_PARSER: _text(builder, "1.0.0"),
        },
    )
    builder.Finish(root, b"M001")
    return bytes(builder.Output())


def _tensor(builder: flatbuffers.Builder, name: str, channels: int) -> int:
    fields = {
        _TENSOR_NAME: _text(builder, name),
        _TENSOR_DESCRIPTION: _text(
            builder, _DESCRIPTIONS.get(name, "LSTM state: zeros first, then what came out.")
        ),
    }
    if name == "frame":
        space = _RGB if channels == 3 else _GRAYSCALE
        image = _table(builder, {}, {_COLOR_SPACE: space})
        fields[_TENSOR_CONTENT] = _table(
            builder, {_CONTENT_VALUE: image}, {_CONTENT_TYPE: _IMAGE_PROPERTIES}
        )
        # Mean 0 and deviation 1: the frame goes in as it is.
        mean, deviation = _floats(builder, [0.0]), _floats(builder, [1.0])
        options = _table(builder, {0: mean, 1: deviation})
        unit = _table(builder, {_UNIT_VALUE: options}, {_UNIT_TYPE: _NORMALIZATION})
        fields[_TENSOR_UNITS] = _vector(builder, [unit])
    if name == "scores":
        labels = _table(
            builder,
            {
                _FILE_NAME: _text(builder, _LABELS),
                _FILE_DESCRIPTION: _text(builder, "Labels in the order of the scores."),
            },
            {_FILE_TYPE: _AXIS_LABELS},
        )
        fields[_TENSOR_FILES] = _vector(builder, [labels])
    return _table(builder, fields)


def _table(
    builder: flatbuffers.Builder, offsets: dict[int, int], bytes_: dict[int, int] | None = None
) -> int:
    """A table with fields that point elsewhere and fields of one byte."""
    bytes_ = bytes_ or {}
    builder.StartObject(max([-1, *offsets, *bytes_]) + 1)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    for slot, value in bytes_.items():
        builder.PrependInt8Slot(slot, value, 0)
    return int(builder.EndObject())


def _text(builder: flatbuffers.Builder, text: str) -> int:
    return int(builder.CreateString(text))


def _vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    return _filled(builder, len(offsets), builder.PrependUOffsetTRelative, offsets)


def _floats(builder: flatbuffers.Builder, values: list[float]) -> int:
    return _filled(builder, len(values), builder.PrependFloat32, values)


def _filled(
    builder: flatbuffers.Builder, count: int, prepend: Callable[..., None], values: Sequence[object]
) -> int:
    builder.StartVector(4, count, 4)
    for value in reversed(values):
        prepend(value)
    return int(builder.EndVector())
