"""A checkpoint is one NumPy archive, written whole: after a kill it is the old one or the new."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import DAMAGED_ARCHIVE, write_file


@dataclass(frozen=True)
class Progress:
    """How far fitting is: epochs done, the best one (-1: none) and its weights."""

    epoch: int
    best_epoch: int
    history: tuple[Mapping[str, Any], ...]
    best: tuple[Any, ...]


def write_checkpoint(path: Path, progress: Progress, variables: list[Any]) -> None:
    """Write `progress` and the values of `variables` (weights, optimizer, seed), in their order."""
    arrays = {f"now_{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(variables)}
    arrays.update({f"best_{i}": value for i, value in enumerate(progress.best)})
    said = {
        "epoch": progress.epoch,
        "best_epoch": progress.best_epoch,
        "history": [dict(line) for line in progress.history],
        "best": len(progress.best),
    }
    arrays["progress"] = np.frombuffer(json.dumps(said).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_file(path, buffer.getvalue())


def read_checkpoint(path: Path, variables: list[Any]) -> Progress:
    """Put the values back into `variables`, which the same settings made, and give the progress.

    Raises:
        EdgecrnnError: the file is not a checkpoint of this network.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            said = json.loads(archive["progress"].tobytes())
            now = [archive[f"now_{i}"] for i in range(len(variables))]
            best = tuple(archive[f"best_{i}"] for i in range(said["best"]))
        if [value.shape for value in now] != [tuple(v.shape) for v in variables]:
            raise ValueError("the weights have other shapes")
        read = Progress(said["epoch"], said["best_epoch"], tuple(said["history"]), best)
    except (*DAMAGED_ARCHIVE, LookupError, TypeError) as error:
        raise EdgecrnnError(
            f"{path}: expected a checkpoint of this network, got another ({error}); "
            "train again without --resume, or with the settings it was made with"
        ) from error
    for variable, value in zip(variables, now, strict=True):
        variable.assign(value)
    return read
