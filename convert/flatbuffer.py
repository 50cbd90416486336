"""A `.tflite` file as objects, and back."""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

__all__ = ["operator_name", "operators", "pack", "schema", "unpack"]
_OPERATORS = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)
}


def unpack(model: bytes) -> Any:
    """The model as the schema's mutable `ModelT`, its weights inside."""
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def pack(model: Any) -> bytes:
    """The bytes of a `ModelT`."""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operator_name(code: Any) -> str:
    """The name of an operator code; of a custom operator its own."""
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    if number == schema.BuiltinOperator.CUSTOM:
        return bytes(code.customCode or b"CUSTOM").decode()
    return _OPERATORS[number]


def operators(model: bytes) -> list[tuple[str, int]]:
    """(operator, version) of each operator of the first subgraph, in order."""
    parsed = unpack(model)
    codes = [(operator_name(code), code.version) for code in parsed.operatorCodes]
    return [codes[operator.opcodeIndex] for operator in parsed.subgraphs[0].operators]
