"""The run: the folder that `train` writes and everything on the workstation reads."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import write_file
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.runtime.settings import check, from_mapping
from edgecrnn.train.evaluation.promise import Promise, read_promise
from edgecrnn.train.network.settings import FilledSettings
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tasks import LABEL_TASKS, is_picture_task
from edgecrnn.train.tensorflow_start import start_tensorflow

RECORD = "run.json"
MODEL = "model.keras"
BASELINE = "baseline.keras"
REPORT = "report.html"
FORMAT = 1


@dataclass(frozen=True)
class DataRecord:
    """What the run was trained on. `counts` is clips by split and label."""

    root: str
    hash: str
    made_split: bool
    split_seed: int
    counts: Mapping[str, Mapping[str, int]]
    skipped: tuple[str, ...]
    part_of: str = ""  # hash of the data whose fold this is, "" where it is no fold

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class RunRecord:
    """`run.json`: everything that is needed to use the model, and every setting that made it."""

    format: int
    name: str
    created: str  # ISO 8601, UTC
    made_by: str
    task: str
    kind: str  # pictures or clips
    labels: tuple[str, ...]
    frame_rate: float | None  # frames a second; None for pictures
    preprocessing: Preprocessing
    network: FilledSettings
    train: TrainSettings
    augmentation: Mapping[str, Any]
    data: DataRecord
    decision: DecisionSettings
    parameters: int
    best_epoch: int
    history: tuple[Mapping[str, float], ...]
    baseline_history: tuple[Mapping[str, float], ...]
    quantized_history: tuple[Mapping[str, float], ...] = ()  # of the epochs for int8
    multiply_adds: int = 0  # of a frame or picture; 0 where it was not counted
    validation: Promise | None = None  # what `decision` did where it was chosen
    interrupted: bool = False  # stopped before its end; --resume goes on

    def __post_init__(self) -> None:
        check(self)
        if self.kind not in ("pictures", "clips"):
            raise EdgecrnnError(f"kind: expected pictures or clips, got {self.kind!r}")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise EdgecrnnError(f"labels: expected at least two different ones, got {self.labels}")

    @property
    def sequence(self) -> str:
        """What the LSTM steps over."""
        return self.network.sequence

    @property
    def warmup(self) -> int:
        """Frames after a change of class that scores leave out; 0 for pictures."""
        return (self.train.warmup or 0) if self.sequence == "time" else 0


def write_record(run: Path, record: RunRecord) -> None:
    """Write `run.json` whole."""
    # Plain ASCII: a file name may hold bytes that are no letters.
    text = json.dumps(dataclasses.asdict(record), indent=1) + "\n"
    write_file(run / RECORD, text.encode("ascii"))


def read_record(run: Path) -> RunRecord:
    """Read `run.json`.

    Raises:
        EdgecrnnError: the folder is not a run, or its record is damaged.
    """
    path = run / RECORD
    if not path.is_file():
        raise EdgecrnnError(
            f"{run}: expected a run with {RECORD}, got "
            f"{'a folder without one' if run.is_dir() else 'no such folder'}; "
            "make one with edgecrnn train"
        )
    try:
        values = json.loads(path.read_bytes())
        if values["format"] != FORMAT:
            raise EdgecrnnError(
                f"format: expected {FORMAT}, got {values['format']!r}; "
                "use the edgecrnn that made the run, or train again"
            )
        if is_picture_task(values["task"]):
            raise EdgecrnnError(
                f"task: expected one of {', '.join(LABEL_TASKS)} for this, got {values['task']}; "
                "train, evaluate, convert and run know that one"
            )
        nested: tuple[tuple[str, Any], ...] = (
            ("preprocessing", Preprocessing),
            ("network", FilledSettings),
            ("train", TrainSettings),
            ("data", DataRecord),
            ("decision", DecisionSettings),
        )
        for key, cls in nested:
            values[key] = from_mapping(cls, values[key], key)
        if values.get("validation") is not None:
            values["validation"] = read_promise(values["validation"], "validation")
        return from_mapping(RunRecord, values, RECORD)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EdgecrnnError(
            f"{path}: expected the record of a run, got {error!r}; train again"
        ) from error
    except EdgecrnnError as error:
        raise EdgecrnnError(f"{path}: {error}") from error


def load_model(run: Path, file: str = MODEL) -> Any:
    """The run's Keras model, in Keras's safe mode (no code from the file is run).

    Raises:
        EdgecrnnError: the file is missing or damaged.
    """
    start_tensorflow()
    import keras

    # Registers the layers that are no Keras's.
    from edgecrnn.train.network import cell  # noqa: F401
    from edgecrnn.train.network.heads import code, picture  # noqa: F401

    path = run / file
    if not path.is_file():
        raise EdgecrnnError(f"{run}: expected {file} in the run, got none; train again")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras wraps the reason in what it was reading; the reason stands last.
        reason = str(error).rpartition("Exception encountered: ")[2].strip().splitlines()
        raise EdgecrnnError(
            f"{path}: expected a Keras model, got one that does not load "
            f"({(reason or [type(error).__name__])[0][:160]}); train again"
        ) from error
