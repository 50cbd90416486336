"""Which layer the TensorFlow converter refused, read out of what it printed."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

# ... fused["Erfinv:", "step_1/layer/Erfinv@..."] ...: 'tf.Erfinv' op is neither a custom op nor ...
_REFUSED = re.compile(
    r"""error: loc\([^\n]*?fused\["\w+:", "([^"@]+)@[^\n]*?'tf\.(\w+)' op is neither"""
)
_NUMBER = re.compile(r"_\d+$")


def refused_layers(errors: str, model: Path) -> str:
    """`tf.Erfinv in the layer 'squash'`, for every operator that TFLite has not; "" where none.

    Args:
        errors: what the converter wrote to standard error.
        model: the `.keras` file, for its layers' names.
    """
    names = _layer_names(model)
    found = {(operator, _layer(path, names)) for path, operator in _REFUSED.findall(errors)}
    return ", ".join(f"tf.{operator} in the layer {layer!r}" for operator, layer in sorted(found))


def _layer(path: str, names: set[str]) -> str:
    """The layer in a path such as step_1/layer_1/resize/Operator; scopes may carry a number."""
    parts = path.split("/")
    for part in reversed(parts):
        for name in (part, _NUMBER.sub("", part)):
            if name in names:
                return name
    return parts[1] if len(parts) > 1 else path


def _layer_names(model: Path) -> set[str]:
    with zipfile.ZipFile(model) as archive:
        return _names(json.loads(archive.read("config.json"))["config"])


def _names(config: Any) -> set[str]:
    """The names of all layers, those of nested models and wrappers too."""
    if isinstance(config, list):
        return {name for value in config for name in _names(value)}
    if not isinstance(config, dict):
        return set()
    nested = {name for value in config.values() for name in _names(value)}
    inner = config.get("config")
    own = inner.get("name") if isinstance(inner, dict) else None
    return nested | ({own} if isinstance(own, str) else set())
