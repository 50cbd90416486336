"""Settings are frozen dataclasses that check themselves; each field carries its help and unit."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from edgecrnn.runtime.errors import EdgecrnnError


class DataclassInstance(Protocol):
    """Any dataclass instance (typeshed's own protocol is not importable at run time)."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


S = TypeVar("S", bound=DataclassInstance)


def setting(
    default: Any,
    help: str,
    *,
    unit: str = "",
    choices: Sequence[str] = (),
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """A dataclass field that names its unit and bounds; `check` enforces them."""
    metadata = {
        "help": help,
        "unit": unit,
        "choices": tuple(choices),
        "least": least,
        "most": most,
    }
    return dataclasses.field(default=default, metadata=metadata)


def nearest(name: str, known: Sequence[str]) -> str:
    """' (did you mean X?)' for the known name closest to `name`, or nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def check(settings: DataclassInstance) -> None:
    """Raise `EdgecrnnError` where a field's type, choice or bound is not kept.

    Call it from `__post_init__`. Whole numbers are accepted where a float is declared.
    """
    hints = get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        _check_field(field, hints[field.name], getattr(settings, field.name))


def from_mapping(cls: type[S], values: object, where: str) -> S:
    """Build `cls` from JSON or TOML values; unknown keys are refused with the nearest known one.

    Lists become tuples. `where` names the file in the error.
    """
    if not isinstance(values, Mapping):
        raise EdgecrnnError(f"{where}: expected keys and their values, got {values!r}")
    names = [field.name for field in dataclasses.fields(cls)]
    for key in values:
        if key not in names:
            raise EdgecrnnError(
                f"{where}: expected the keys {', '.join(names)}, got {key!r}{nearest(key, names)}"
            )
    tupled = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return cls(**tupled)
    except TypeError as error:
        raise EdgecrnnError(f"{where}: {error}") from error
    except EdgecrnnError as error:
        raise EdgecrnnError(f"{where}: {error}") from error


def _check_field(field: dataclasses.Field[Any], hint: Any, value: Any) -> None:
    if not _fits(value, hint):
        raise EdgecrnnError(f"{field.name}: expected {_said(hint)}, got {value!r}")
    if value is None:
        return
    choices = field.metadata.get("choices") or ()
    if choices and value not in choices:
        hint_text = nearest(str(value), choices)
        raise EdgecrnnError(
            f"{field.name}: expected one of {', '.join(choices)}, got {value!r}{hint_text}"
        )
    unit = field.metadata.get("unit", "")
    least, most = field.metadata.get("least"), field.metadata.get("most")
    if (least is not None and not value >= least) or (most is not None and not value <= most):
        bounds = f"at least {least:g}" if most is None else f"at most {most:g}"
        if least is not None and most is not None:
            bounds = f"{least:g} to {most:g}"
        unit_text = f" {unit}" if unit else ""
        raise EdgecrnnError(f"{field.name}: expected {bounds}{unit_text}, got {value!r}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether `value` is of the type `hint`, down to what tuples and mappings hold."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        wanted = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
        return len(value) == len(wanted) and all(map(_fits, value, wanted))
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(key, parts[0]) and _fits(one, parts[1]) for key, one in value.items()
        )
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    return hint is Any or isinstance(value, origin or hint)


def _said(hint: Any) -> str:
    """The type as a person reads it: None, the value of what is not given, is left out."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_said(part) for part in get_args(hint) if part is not type(None))
    parts = get_args(hint)
    if get_origin(hint) is tuple:
        return f"a list of {_said(parts[0])}"
    if get_origin(hint) is Mapping:
        return "a table" if parts[1] is Any else f"a table of {_said(parts[1])}"
    return hint.__name__ if isinstance(hint, type) else str(hint)
