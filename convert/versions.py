"""Operator versions: what a model truly needs of the runtime that is to load it.

A runtime refuses an operator of a version that it does not have; so the version is what keeps an
old runtime from answering wrongly in silence. The quantizer leaves the float model's versions, and
the model's own `min_runtime_version` is not kept up either. Both are mended here from the tensors'
types, by the rules of the TFLite runtime's source (tools/versioning).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.convert.flatbuffer import operator_name, pack, schema, unpack
from edgecrnn.runtime.fit import release

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_RELEASES: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).parent / "operator_releases.toml").read_text("utf-8")
)
_TYPE = schema.TensorType
# Versions of an operator whose tensors are int8; most have it as their second.
_INT8 = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4}
_ANY_TYPE = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "SHAPE", "QUANTIZE", "HARD_SWISH")
# float32 in and out with int8 weights: with one scale, and with one a channel.
_HYBRID = {"CONV_2D": (2, 5), "DEPTHWISE_CONV_2D": (4, 6), "FULLY_CONNECTED": (9, 12)}
# Older runtimes load int8 dense weights with several scales and use the first one for all.
_DENSE_CHANNELS = "2.10"


@dataclass(frozen=True)
class Need:
    """The operator that asks for the newest runtime, and since when each package has it."""

    operator: str  # for example "FULLY_CONNECTED v12", or with its weights' form
    least: Mapping[str, str]  # package to its first version that has it; none that never had it


def stamp_versions(model: bytes) -> bytes:
    """The same model, each operator with the version that its tensors make of it."""
    parsed = unpack(model)
    codes: list[Any] = []
    places: dict[tuple[int, int], int] = {}
    for graph in parsed.subgraphs:
        for operator in graph.operators:
            code = parsed.operatorCodes[operator.opcodeIndex]
            name = operator_name(code)
            version = max(code.version, _version(name, operator, graph.tensors))
            place = places.setdefault((operator.opcodeIndex, version), len(codes))
            if place == len(codes):
                codes.append(_copy(code, version))
            operator.opcodeIndex = place
    parsed.operatorCodes = codes
    parsed.metadata = [m for m in parsed.metadata or [] if m.name != b"min_runtime_version"]
    return pack(parsed)


def least_runtime(model: bytes) -> Need:
    """What a model with true versions (`stamp_versions`) needs.

    An operator or version that the table does not know is taken to need the newest runtime.
    """
    parsed = unpack(model)
    worst = _since("no operator", "1.5")
    for graph in parsed.subgraphs:
        for operator in graph.operators:
            code = parsed.operatorCodes[operator.opcodeIndex]
            worst = max(worst, _need(operator_name(code), code.version), key=_age)
            if _int8_dense_channels(operator_name(code), operator, graph.tensors):
                dense = _since("FULLY_CONNECTED with a scale a channel", _DENSE_CHANNELS)
                worst = max(worst, dense, key=_age)
    return worst


def _need(name: str, version: int) -> Need:
    known = _RELEASES.get(name, [])
    return _since(f"{name} v{version}", known[version - 1] if version <= len(known) else "")


def _since(operator: str, tflite: str) -> Need:
    """What every ai-edge-litert has, and tflite-runtime since a version, or never ("")."""
    return Need(
        operator, {"ai-edge-litert": "1.0", **({"tflite-runtime": tflite} if tflite else {})}
    )


def _age(need: Need) -> tuple[int, ...]:
    return release(need.least.get("tflite-runtime", "99.0"))


def _version(name: str, operator: Any, tensors: Sequence[Any]) -> int:
    """The version that the tensors' types ask for; 1 where they ask for nothing."""
    inputs = [tensors[index] for index in operator.inputs if index >= 0]
    outputs = [tensors[index] for index in operator.outputs]
    first = inputs[0].type if inputs else _TYPE.FLOAT32
    if name in _HYBRID and first == _TYPE.FLOAT32 and inputs[1].type == _TYPE.INT8:
        return _HYBRID[name][_scales(inputs[1]) > 1]
    if name == "DEQUANTIZE":
        return {_TYPE.INT8: 2, _TYPE.INT16: 3, _TYPE.FLOAT16: 3}.get(first, 1)
    if first != _TYPE.INT8 or name in _ANY_TYPE:
        return 1
    if name == "MUL" and _product_grows(inputs, outputs[0]):
        return 3
    if name in ("STRIDED_SLICE", "TRANSPOSE") and len(inputs[0].shape) > 4:
        return 4
    return _INT8.get(name, 2)


def _product_grows(inputs: Sequence[Any], output: Any) -> bool:
    """Whether the product's multiplier is one or more, which the first int8 kernels could not."""
    scales = [tensor.quantization.scale[0] for tensor in (*inputs[:2], output)]
    return bool(scales[0] * scales[1] / scales[2] >= 1.0)


def _int8_dense_channels(name: str, operator: Any, tensors: Sequence[Any]) -> bool:
    if name != "FULLY_CONNECTED":
        return False
    data, weights = (tensors[index] for index in operator.inputs[:2])
    return data.type == _TYPE.INT8 and weights.type == _TYPE.INT8 and _scales(weights) > 1


def _scales(tensor: Any) -> int:
    quantization = tensor.quantization
    return 0 if quantization is None or quantization.scale is None else len(quantization.scale)


def _copy(code: Any, version: int) -> Any:
    copied = schema.OperatorCodeT()
    copied.builtinCode, copied.deprecatedBuiltinCode = code.builtinCode, code.deprecatedBuiltinCode
    copied.customCode, copied.version = code.customCode, version
    return copied
