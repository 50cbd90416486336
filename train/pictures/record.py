"""The run of a picture task: the folder that `train` writes and everything after reads."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import write_file
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.runtime.settings import check, from_mapping
from edgecrnn.train.network.settings import FilledSettings
from edgecrnn.train.run_folder import FORMAT, MODEL, RECORD
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tasks import is_picture_task, picture_task
from edgecrnn.train.tensorflow_start import start_tensorflow


@dataclass(frozen=True)
class PictureSource:
    """What the run was trained on. `counts` is pictures by split."""

    root: str
    hash: str
    made_split: bool
    split_seed: int
    counts: Mapping[str, int]
    skipped: tuple[str, ...]

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class PictureRecord:
    """`run.json` of a picture task. `preprocessing` gives pictures; frames may be smaller."""

    format: int
    name: str
    created: str  # ISO 8601, UTC
    made_by: str
    task: str
    options: Mapping[str, Any]  # the task's own settings
    labels: tuple[str, ...]  # of classes, masks or boxes; () where the data says nothing
    preprocessing: Preprocessing
    network: FilledSettings
    train: TrainSettings
    data: PictureSource
    parameters: int
    multiply_adds: int  # of a picture
    best_epoch: int
    history: tuple[Mapping[str, float], ...]
    validation: Mapping[str, float]  # the task's measures on the validation pictures

    def __post_init__(self) -> None:
        check(self)

    @property
    def settings(self) -> Any:
        """The task's own settings, checked."""
        return from_mapping(picture_task(self.task).Settings, self.options, "options")


def is_picture_run(run: Path) -> bool:
    """Whether the folder is the run of a picture task; False for anything that is no run."""
    try:
        task = json.loads((run / RECORD).read_bytes())["task"]
        return is_picture_task(task)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, EdgecrnnError):
        return False


def write_picture_record(run: Path, record: PictureRecord) -> None:
    """Write `run.json` whole."""
    write_file(run / RECORD, (json.dumps(dataclasses.asdict(record), indent=1) + "\n").encode())


def read_picture_record(run: Path) -> PictureRecord:
    """Read `run.json`.

    Raises:
        EdgecrnnError: it is damaged, or is that of another edgecrnn.
    """
    path = run / RECORD
    try:
        values = json.loads(path.read_bytes())
        if values["format"] != FORMAT:
            raise EdgecrnnError(f"format: expected {FORMAT}, got {values['format']!r}")
        nested: tuple[tuple[str, Any], ...] = (
            ("preprocessing", Preprocessing),
            ("network", FilledSettings),
            ("train", TrainSettings),
            ("data", PictureSource),
        )
        for key, cls in nested:
            values[key] = from_mapping(cls, values[key], key)
        record = from_mapping(PictureRecord, values, RECORD)
        _ = record.settings
        return record
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise EdgecrnnError(
            f"{path}: expected the record of a run, got {error!r}; train again"
        ) from error
    except EdgecrnnError as error:
        raise EdgecrnnError(f"{path}: {error}; train again") from error


def load_picture_model(run: Path) -> Any:
    """The run's Keras model, in Keras's safe mode.

    Raises:
        EdgecrnnError: the file is missing or damaged.
    """
    start_tensorflow()
    from edgecrnn.train.run_folder import load_model

    return load_model(run, MODEL)
