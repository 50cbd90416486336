"""Options written behind a question mark: `record:clips?before=10&cap=200`."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, get_type_hints
from urllib.parse import unquote

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import DataclassInstance, from_mapping

S = TypeVar("S", bound=DataclassInstance)
_WORDS = {"yes": True, "no": False}


def read_options(cls: type[S], text: str, where: str) -> S:
    """`key=value&key=value` as the settings `cls`, whose fields are str, int, float or bool.

    Raises:
        EdgecrnnError: an unknown key, a value of another kind or out of its bounds.
    """
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for part in filter(None, text.split("&")):
        key, equals, value = part.partition("=")
        if not equals:
            names = ", ".join(field.name for field in dataclasses.fields(cls))
            raise EdgecrnnError(f"{where}: expected NAME=VALUE with {names}, got {part!r}")
        values[key] = _value(hints.get(key, str), unquote(value), f"{where}: {key}")
    return from_mapping(cls, values, where)


def _value(kind: Any, text: str, where: str) -> Any:
    try:
        if kind is bool:
            return _WORDS[text]
        return kind(text) if kind in (int, float) else text
    except (KeyError, ValueError) as error:
        wanted = {bool: "yes or no", int: "a whole number"}.get(kind, "a number")
        raise EdgecrnnError(f"{where}: expected {wanted}, got {text!r}") from error
