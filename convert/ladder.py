"""The ladder: every recipe is tried, and what loses too much is not shipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edgecrnn.convert.recipe import Recipe, load_recipe
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.shipping import LADDER, REFERENCE, Found
from edgecrnn.runtime.errors import EdgecrnnError


class Judged(Found, Protocol):
    """What was found of a variant."""

    @property
    def refused(self) -> str:
        """Why it is not shipped, or empty."""


J = TypeVar("J", bound=Judged)


@dataclass(frozen=True)
class Ladder:
    """Recipes in the order that they are tried, and the one that has to hold ("": none)."""

    recipes: Sequence[Recipe]
    required: str


def ladder_of(settings: ConvertSettings) -> Ladder:
    """The reference first, a person's own, the usual ones, and what is required.

    Raises:
        EdgecrnnError: there is no such recipe, or two have one name.
    """
    names = [REFERENCE, *settings.recipes, *LADDER]
    if settings.require:
        names.append(settings.require)
    recipes: dict[str, Recipe] = {}
    for name in dict.fromkeys(names):
        recipe = load_recipe(name)
        if recipe.name in recipes:
            raise EdgecrnnError(
                f"recipes: expected different names, got {recipe.name!r} twice; rename {name}"
            )
        recipes[recipe.name] = recipe
    required = load_recipe(settings.require).name if settings.require else ""
    return Ladder(list(recipes.values()), required)


def climb(
    ladder: Ladder,
    attempt: Callable[[Recipe], tuple[bytes, J]],
    name: str,
    bound: str,
    mend: str,
    say: Callable[[str], None],
) -> tuple[dict[str, bytes], list[J]]:
    """Try every recipe.

    Args:
        ladder: the recipes.
        attempt: makes a variant and says what was found of it.
        name: of what is converted.
        bound: what every variant has to do: "to keep ..." or "within ...".
        mend: what a person can do where none does.
        say: called with a sentence for each.

    Returns:
        The variants that may ship, by name, and what was found of each that was tried.

    Raises:
        EdgecrnnError: the required one is out of bounds, or all are.
    """
    models: dict[str, bytes] = {}
    findings: list[J] = []
    for recipe in ladder.recipes:
        say(f"{recipe.name} is made and compared")
        made, finding = attempt(recipe)
        findings.append(finding)
        if not finding.refused:
            models[recipe.name] = made
        elif recipe.name == ladder.required:
            raise EdgecrnnError(
                f"{recipe.name}: expected it {bound}, but {finding.refused}; leave out --require "
                "to ship the next on the ladder, or train longer"
            )
    if not models:
        raise EdgecrnnError(
            f"{name}: expected a variant {bound}, got none "
            f"({findings[0].variant}: {findings[0].refused}); {mend}"
        )
    return models, findings
