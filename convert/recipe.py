"""Quantization recipes are data: one TOML file an entry in `recipes/`, its name the file's name."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Recipe:
    """Which operators compute in what."""

    name: str
    decodes: str  # one line that says what the name means
    kind: str = setting("float", "arithmetic", choices=("float", "float16", "int8"))
    integer: tuple[str, ...] = ()  # TFLite operators that become int8; "*" is all of them
    delegates: tuple[str, ...] = ("cpu",)  # what the variant suits

    def __post_init__(self) -> None:
        check(self)
        if (self.kind == "int8") != bool(self.integer):
            raise EdgecrnnError(
                f"integer: expected operators for kind int8 and none otherwise, got "
                f"{list(self.integer)} for kind {self.kind}"
            )


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
    return from_mapping(Recipe, {"name": path.stem, **values}, str(path))
