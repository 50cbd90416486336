"""Flags made from settings dataclasses, so that no command restates a field."""

from __future__ import annotations

import argparse
import dataclasses
import math
import types
from collections.abc import Collection
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import DataclassInstance

S = TypeVar("S", bound=DataclassInstance)


def add_settings(
    parser: argparse.ArgumentParser,
    cls: type[DataclassInstance],
    skip: Collection[str] = (),
    title: str | None = None,
) -> None:
    """Add one flag for each field of `cls` that is not in `skip`.

    `learning_rate: float` becomes `--learning-rate N`, a bool the pair `--balanced` and
    `--no-balanced`, a tuple takes several values, `X | None` takes an X. Bounds are not checked
    here but by the dataclass, so that the sentence is the same wherever a value comes from.

    Args:
        parser: where the flags are added, in a group of their own.
        cls: a dataclass whose fields `edgecrnn.runtime.settings.setting` made.
        skip: fields that the command sets itself.
        title: the group's heading; the docstring's first line without it.
    """
    group = parser.add_argument_group(title or _first_line(cls))
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if field.name not in skip:
            _add_flag(group, field, hints[field.name])


def read_settings(cls: type[S], args: argparse.Namespace, **fixed: Any) -> S:
    """The settings that the person gave; a field without a flag given keeps its default.

    Args:
        cls: the dataclass that `add_settings` was given.
        args: what the parser returned.
        fixed: fields that the command sets itself; they win over flags.

    Raises:
        EdgecrnnError: a value is out of its bounds; the sentence names the flag.
    """
    given = {
        field.name: getattr(args, field.name)
        for field in dataclasses.fields(cls)
        if hasattr(args, field.name) and field.name not in fixed
    }
    try:
        return cls(**given, **fixed)
    except EdgecrnnError as error:
        name, colon, rest = str(error).partition(":")
        if colon and name in given:
            raise EdgecrnnError(f"{flag(name)}:{rest}") from error
        raise


def flag(name: str) -> str:
    """The flag of a field: `--learning-rate` for `learning_rate`."""
    return f"--{name.replace('_', '-')}"


def _add_flag(group: Any, field: dataclasses.Field[Any], hint: Any) -> None:
    common: dict[str, Any] = {
        "dest": field.name,
        "help": _help(field),
        # Absent from the namespace unless given: the default is the dataclass's alone.
        "default": argparse.SUPPRESS,
        "required": dataclasses.MISSING is field.default is field.default_factory,
    }
    kind, several = _kind(hint)
    if kind is bool:
        group.add_argument(flag(field.name), action=argparse.BooleanOptionalAction, **common)
        return
    if several:
        common["nargs"] = several
    choices = field.metadata.get("choices") or ()
    common["metavar"] = (
        f"{{{','.join(choices)}}}" if choices else {int: "N", float: "X"}.get(kind, "TEXT")
    )
    group.add_argument(flag(field.name), type=_READERS[kind], action=_action(several), **common)


def _kind(hint: Any) -> tuple[type, str | int]:
    """The type of one value, and how many there are ("" for a single one)."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (only,) = (part for part in get_args(hint) if part is not type(None))
        return _kind(only)
    if origin is tuple:
        parts = get_args(hint)
        kind, _ = _kind(parts[0])
        return kind, "+" if parts[-1] is Ellipsis else len(parts)
    if hint not in (*_READERS, bool):
        raise TypeError(f"no flag can be made for a field of type {hint}")
    return hint, ""


def _action(several: str | int) -> Any:
    return _StoreTuple if several else "store"


class _StoreTuple(argparse.Action):
    """Keep several values as the tuple that a settings field is."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, tuple(values))


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from error


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number, got {text!r}")
    return value


_READERS: dict[Any, Any] = {int: _whole, float: _number, str: str}


def _help(field: dataclasses.Field[Any]) -> str:
    text = str(field.metadata.get("help", ""))
    default, unit = field.default, field.metadata.get("unit", "")
    if default is not dataclasses.MISSING and default not in (None, "", ()):
        shown = {True: "yes", False: "no"}[default] if isinstance(default, bool) else default
        if isinstance(default, tuple):
            shown = " ".join(map(str, default))
        text += f" (default {shown}{f' {unit}' if unit else ''})"
    # argparse reads % as the start of a format.
    return text.replace("%", "%%")


def _first_line(cls: type) -> str:
    return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")
