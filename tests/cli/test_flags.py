"""Flags made from settings."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting


@dataclass(frozen=True)
class Fitting:
    """How it is fitted. Every number counts."""

    epochs: int = setting(30, "passes over the data, 100 % of it", unit="epochs", least=1)
    learning_rate: float = setting(0.003, "Adam's step", least=1e-7, most=1.0)
    schedule: str = setting("cosine", "how it falls", choices=("cosine", "constant"))
    balanced: bool = setting(False, "draw classes equally")
    dropout: float | None = setting(None, "share dropped", least=0.0, most=0.9)
    motion: bool | None = setting(None, "see the frame before")
    size: tuple[int, int] = setting((48, 64), "height and width", unit="pixels")
    names: tuple[str, ...] = setting((), "which")
    cache: str = setting("", "folder")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Needed:
    """One that has no default."""

    path: str
    count: int = 1


def parse(*arguments: str, cls: type = Fitting, skip: tuple[str, ...] = ()) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    add_settings(parser, cls, skip)
    return parser.parse_args(list(arguments))


def test_without_flags_the_defaults_are_the_dataclass_s() -> None:
    args = parse()
    assert vars(args) == {} and read_settings(Fitting, args) == Fitting()


def test_every_kind_of_field() -> None:
    args = parse(
        *("--epochs", "3", "--learning-rate", "1e-2", "--schedule", "constant", "--balanced"),
        *("--dropout", "0", "--no-motion", "--size", "32", "40", "--names", "a", "b"),
    )
    assert read_settings(Fitting, args) == Fitting(
        3, 0.01, "constant", True, 0.0, False, (32, 40), ("a", "b"), ""
    )


def test_fixed_values_win_and_skipped_fields_have_no_flag() -> None:
    assert read_settings(Fitting, parse("--epochs", "3"), epochs=5).epochs == 5
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parse("--epochs", "3", skip=("epochs",))


def test_a_field_without_default_is_required() -> None:
    assert read_settings(Needed, parse("--path", "x", cls=Needed)) == Needed("x", 1)
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parse(cls=Needed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "0"], "--epochs: expected at least 1 epochs, got 0"),
        (["--learning-rate", "2"], "--learning-rate: expected 1e-07 to 1, got 2.0"),
        (["--schedule", "cosin"], "--schedule: expected one of cosine, constant, got 'cosin'"),
    ],
)
def test_bounds_are_the_dataclass_s_and_name_the_flag(arguments: list[str], said: str) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        read_settings(Fitting, parse(*arguments))
    assert str(caught.value).startswith(said)


def test_a_fixed_value_out_of_bounds_is_named_as_it_is() -> None:
    with pytest.raises(EdgecrnnError, match=r"^epochs: expected"):
        read_settings(Fitting, parse(), epochs=0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "3.5"], "expected a whole number, got '3.5'"),
        (["--learning-rate", "fast"], "expected a number, got 'fast'"),
        (["--learning-rate", "nan"], "expected a finite number, got 'nan'"),
        (["--size", "3"], "expected 2 arguments"),
    ],
)
def test_values_of_the_wrong_kind(arguments: list[str], said: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=said):
        parse(*arguments)


def test_the_help_names_unit_default_and_choices() -> None:
    parser = argparse.ArgumentParser()
    add_settings(parser, Fitting)
    text = " ".join(parser.format_help().split())
    assert "How it is fitted. Every number counts:" in text
    assert "--epochs N passes over the data, 100 % of it (default 30 epochs)" in text
    assert "--schedule {cosine,constant} how it falls (default cosine)" in text
    assert "--balanced, --no-balanced draw classes equally (default no)" in text
    assert "height and width (default 48 64 pixels)" in text
    assert "share dropped --" in text  # None has no default to tell


def test_a_type_without_a_flag_is_a_defect() -> None:
    @dataclass(frozen=True)
    class Odd:
        table: dict[str, int] = setting(None, "odd")

    with pytest.raises(TypeError, match="no flag"):
        add_settings(argparse.ArgumentParser(), Odd)


@settings(max_examples=50)
@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_any_value_arrives_as_given_or_is_refused(epochs: int, rate: float, cache: str) -> None:
    args = parse(f"--epochs={epochs}", f"--learning-rate={rate!r}", f"--cache={cache}")
    if epochs >= 1 and 1e-7 <= rate <= 1:
        assert read_settings(Fitting, args) == Fitting(epochs, rate, cache=cache)
    else:
        with pytest.raises(EdgecrnnError):
            read_settings(Fitting, args)
