"""Recipes are files; a wrong one is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecrnn.convert.recipe import load_recipe, recipe_names
from edgecrnn.runtime.errors import EdgecrnnError


@pytest.mark.parametrize("name", recipe_names())
def test_each_says_what_its_name_means(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert len(recipe.decodes) > 20


def test_the_promised_ones_are_there() -> None:
    assert set(recipe_names()) >= {"float32", "float16", "int8", "int8-mixed", "dynamic"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "int8"\ninteger = ["*"]', "expected the key 'decodes' too"),
        ('decodes = "x"\nkind = "int9"', "expected one of float, float16, int8, dynamic"),
        ('decodes = "x"\nkind = "int8"', "expected operators for kind int8 or dynamic"),
        ('decodes = "x"\ninteger = ["*"]', "none otherwise"),
        ('decodes = "x"\nintegers = ["*"]', "did you mean 'integer'"),
        ('decodes = "x"\nname = "y"', "expected no key 'name'"),
        ('decodes = "x"\nkind = "int8"\ninteger = ["*"]\nkeep = ["("]', "a regular expression"),
        ('decodes = "x"\nkeep = ["conv_0"]', "expected none for kind float"),
        ('decodes = "x"\nkind = "int8"\ninteger = ["*"]\ndense = "row"', "channel, tensor"),
        ("decodes = ", "expected TOML"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(EdgecrnnError) as caught:
        load_recipe(str(file))
    assert said in str(caught.value)


def test_a_name_that_cannot_name_a_file_of_the_bundle(tmp_path: Path) -> None:
    file = tmp_path / "my own.toml"
    file.write_text('decodes = "x"')
    with pytest.raises(EdgecrnnError, match="expected letters, digits, dots and dashes"):
        load_recipe(str(file))


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(EdgecrnnError, match="did you mean 'int8-mixed'"):
        load_recipe("int8-mix")
