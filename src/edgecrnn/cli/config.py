"""Settings from a TOML or YAML file: the same names as the flags, and a flag given wins."""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import DataclassInstance, from_mapping, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def add_config(
    args: argparse.Namespace,
    path: Path,
    classes: Collection[type[DataclassInstance]],
    others: Collection[str] = (),
    skip: Collection[str] = (),
) -> None:
    """Put the file's settings into `args` where no flag was given.

    Args:
        args: what the parser returned; a flag that was not given is absent. `of_file` becomes the
            names of those that the file gave.
        path: TOML, or YAML by its name, one line a setting, named as the flag is (learning_rate or
            learning-rate).
        classes: dataclasses whose fields are settings.
        others: flags besides, which hold a text.
        skip: fields that no flag sets.

    Raises:
        EdgecrnnError: no such file, neither TOML nor YAML, an unknown key (the nearest is named),
            a wrong value.
    """
    fields = {
        field.name: cls
        for cls in classes
        for field in dataclasses.fields(cls)
        if field.name not in skip
    }
    known = [*others, *fields]
    read: dict[str, Any] = {}
    for key, value in _read(path).items():
        name = key.replace("-", "_")
        if isinstance(value, dict):
            raise EdgecrnnError(
                f"{path}: expected settings one a line, got the table [{key}]; take its lines out "
                "of it"
            )
        if name not in known:
            raise EdgecrnnError(
                f"{path}: expected settings of this command, got {key!r}{nearest(name, known)}; "
                "--help lists them"
            )
        if name in others and not isinstance(value, str):
            raise EdgecrnnError(f"{path}: {key}: expected a text, got {value!r}")
        read[name] = value
    for cls in dict.fromkeys(fields.values()):
        own = {name: value for name, value in read.items() if fields.get(name) is cls}
        _check_together(args, path, cls, own)
    args.of_file = frozenset(name for name in read if getattr(args, name, None) is None)
    for name, value in read.items():
        if name in args.of_file:
            setattr(args, name, tuple(value) if isinstance(value, list) else value)


def _check_together(
    args: argparse.Namespace, path: Path, cls: type[DataclassInstance], own: dict[str, Any]
) -> None:
    """Refuse a file's settings by the file's name: with the flags beside them, or for their own."""
    flags = {
        f.name: getattr(args, f.name) for f in dataclasses.fields(cls) if hasattr(args, f.name)
    }
    try:
        from_mapping(cls, {**own, **flags}, str(path))
    except EdgecrnnError:
        # Where they would do without the flags it is these that are wrong, and told by their names.
        from_mapping(cls, own, str(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() in (".yaml", ".yml"):
            return _read_yaml(path, text)
        return tomllib.loads(text)
    except OSError as error:
        raise EdgecrnnError(
            f"{path}: expected a file of settings (TOML or YAML), got {error.strerror or error}"
        ) from error
    except ValueError as error:
        raise EdgecrnnError(f"{path}: expected TOML in UTF-8, got {error}") from error


def _read_yaml(path: Path, text: str) -> dict[str, Any]:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise EdgecrnnError(
            f"{path}: expected PyYAML to be installed to read it, got none; pip install pyyaml, or "
            "write the settings as TOML (name = value)"
        ) from error
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise EdgecrnnError(f"{path}: expected YAML, got {said}") from error
    if not isinstance(read, dict) or not all(isinstance(key, str) for key in read):
        raise EdgecrnnError(f"{path}: expected YAML of 'name: value' lines, got {read!r:.80}")
    return {key: _number_too(value) for key, value in read.items()}


def _number_too(value: Any) -> Any:
    """1e-3 as the number that it is to YAML 1.2; PyYAML reads 1.1, where it is a text."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    return value
