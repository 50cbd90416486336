"""Reads a `.keras` file from elsewhere: no code in it is run, and what is no use is named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgecrnn.convert.graph import check_weights
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.tensorflow_start import start_tensorflow

_CONFIG = "config.json"
# Formats that people call a Keras model too.
_OLD = (".h5", ".hdf5")


def load_foreign(path: Path) -> Any:
    """The Keras model in `path`, Functional or Sequential, computing in float32.

    Raises:
        EdgecrnnError: the file is no such model, holds code, or a weight is not finite.
    """
    check_file(path)
    start_tensorflow()
    import keras
    from keras.src.models.functional import Functional

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise EdgecrnnError(
            f"{path}: expected a Keras model, got one that Keras {keras.__version__} does not "
            f"load ({first}); save it again with the Keras that made it"
        ) from error
    if not isinstance(model, Functional | keras.Sequential):
        raise EdgecrnnError(_subclassed(path, type(model).__name__))
    for layer in model._flatten_layers():
        if "_from_" in layer.dtype_policy.name:
            raise EdgecrnnError(
                f"{path}: expected float weights, got the layer {layer.name!r} quantized to "
                f"{layer.dtype_policy.name}; give the model from before quantization"
            )
        # Trained in mixed precision: weights are float32 already, arithmetic becomes it.
        layer.dtype_policy = "float32"
    check_weights(model, str(path), "train the model again, with a lower learning rate")
    return model


def check_file(path: Path) -> None:
    """Refuse what Keras could load only by running code that is not its own; needs no Keras.

    Raises:
        EdgecrnnError: the file is no `.keras` file, or a layer in it is not one of Keras's.
    """
    config = _config(path)
    for kept in _objects(config):
        name, registered = str(kept.get("class_name")), str(kept.get("registered_name") or "")
        inner = kept.get("config")
        layer = inner.get("name", name) if isinstance(inner, dict) else name
        if name == "Lambda":
            raise EdgecrnnError(
                f"{path}: expected Keras's own layers, got the Lambda layer {layer!r}: it holds "
                "code, which is not run from a file; write it with keras.ops or as a layer of "
                "Keras, and save again"
            )
        if registered.startswith("edgecrnn>"):
            raise EdgecrnnError(
                f"{path}: expected a model from elsewhere, got one that edgecrnn train wrote; "
                "give the run's folder"
            )
        module = str(kept.get("module") or "").split(".")[0]
        if ">" in registered or module not in ("keras", "builtins", ""):
            raise EdgecrnnError(
                _subclassed(path, name)
                if kept is config
                else f"{path}: expected Keras's own layers, got {layer!r} of the class {name!r}, "
                "which is not one; build it of Keras's layers and save again"
            )


def _config(path: Path) -> Any:
    """The model's description, as JSON values."""
    what = f"{path}: expected a Keras model in a .keras file"
    if not path.is_file():
        got = "a folder" if path.is_dir() else "no such file"
        raise EdgecrnnError(f"{what}, got {got}; write one with model.save('model.keras')")
    if path.suffix.lower() in _OLD:
        raise EdgecrnnError(
            f"{what}, got the older HDF5 format; load it in Keras and write it again with "
            "model.save('model.keras')"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(_CONFIG))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise EdgecrnnError(
            f"{what}, got another file or a damaged one; write it again with "
            "model.save('model.keras')"
        ) from error


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object of the description, the model itself first."""
    if isinstance(config, dict):
        if "class_name" in config and "module" in config:
            yield config
        for key, value in config.items():
            if key != "compile_config":  # it is not loaded
                yield from _objects(value)
    elif isinstance(config, list):
        for value in config:
            yield from _objects(value)


def _subclassed(path: Path, name: str) -> str:
    return (
        f"{path}: expected a Functional or Sequential model, got the class {name!r}, whose layers "
        "cannot be followed; build it with keras.Model(inputs, outputs) and save again"
    )
