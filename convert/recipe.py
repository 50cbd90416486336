"""Quantization recipes are data: one TOML file an entry in `recipes/`, its name the file's name."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, from_mapping, nearest, setting

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FOLDER = Path(__file__).parent / "recipes"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
# Kinds that turn a list of operators into int8.
_INTEGER = ("int8", "dynamic")


@dataclass(frozen=True)
class Recipe:
    """Which operators compute in what."""

    name: str
    decodes: str  # one line that says what the name means
    kind: str = setting(
        "float",
        "arithmetic: int8 by measured ranges, or dynamic: int8 weights, ranges found as it runs",
        choices=("float", "float16", "int8", "dynamic"),
    )
    integer: tuple[str, ...] = ()  # TFLite operators that become int8; "*" is all of them
    keep: tuple[str, ...] = ()  # layers that stay float: patterns of their tensors' names
    dense: str = setting(
        "channel",
        "scales of FULLY_CONNECTED's int8 weights: one a channel is closer, one a tensor is older",
        choices=("channel", "tensor"),
    )

    def __post_init__(self) -> None:
        check(self)
        if not _NAME.fullmatch(self.name):
            raise EdgecrnnError(
                f"name: expected letters, digits, dots and dashes (it names a file of the bundle), "
                f"got {self.name!r}"
            )
        if (self.kind in _INTEGER) != bool(self.integer):
            raise EdgecrnnError(
                f"integer: expected operators for kind int8 or dynamic and none otherwise, got "
                f"{list(self.integer)} for kind {self.kind}"
            )
        if self.keep and self.kind != "int8":
            raise EdgecrnnError(f"keep: expected none for kind {self.kind}, got {list(self.keep)}")
        for pattern in self.keep:
            try:
                re.compile(pattern)
            except re.error as error:
                raise EdgecrnnError(
                    f"keep: expected a regular expression such as conv_0, got {pattern!r} ({error})"
                ) from error


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load_recipe(name: str) -> Recipe:
    """A recipe by its name, or by the path of a TOML file of one's own.

    Raises:
        EdgecrnnError: there is none of that name, or the file is not a recipe.
    """
    path = Path(name) if name.endswith(".toml") else _FOLDER / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = recipe_names()
        raise EdgecrnnError(
            f"recipe: expected one of {', '.join(known)} or a .toml file, got {name!r}"
            f"{nearest(name, known)}"
        ) from error
    except ValueError as error:
        raise EdgecrnnError(f"{path}: expected TOML, got {error}") from error
    if "name" in values:
        raise EdgecrnnError(f"{path}: expected no key 'name', the file's name is the recipe's")
    if "decodes" not in values:
        raise EdgecrnnError(f"{path}: expected the key 'decodes' too: a line that says what it is")
    return from_mapping(Recipe, {"name": path.stem, **values}, str(path))
