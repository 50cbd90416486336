"""The plan of a picture task's training, kept beside the checkpoint so that `--resume` goes on."""

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
from edgecrnn.runtime.settings import from_mapping
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.plan import CHECKPOINT, PLAN
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tasks import picture_task


@dataclass(frozen=True)
class PicturePlan:
    """Every choice of a training; `options` are the task's own settings, all of them."""

    task: str
    options: Mapping[str, Any]
    preprocessing: Preprocessing
    network: NetworkSettings
    train: TrainSettings

    @property
    def settings(self) -> Any:
        """The task's own settings, checked."""
        return from_mapping(picture_task(self.task).Settings, self.options, "--set")


def read_picture_plan(out: Path) -> PicturePlan:
    """The choices that an interrupted training in `out` was started with.

    Raises:
        EdgecrnnError: there is none, or its file is damaged.
    """
    path = out / PLAN
    parts: dict[str, Any] = {
        "preprocessing": Preprocessing,
        "network": NetworkSettings,
        "train": TrainSettings,
    }
    try:
        said = json.loads(path.read_bytes())
        nested = {name: from_mapping(cls, said[name], name) for name, cls in parts.items()}
        plan = PicturePlan(task=said["task"], options=said["options"], **nested)
        _ = plan.settings
        return plan
    except (OSError, ValueError, KeyError, TypeError, RecursionError, EdgecrnnError) as error:
        raise EdgecrnnError(
            f"{path}: expected the settings of a run, got {error}; train again with --force"
        ) from error


def is_picture_plan(out: Path) -> bool:
    """Whether what was begun in `out` is the training of a picture task."""
    try:
        return "options" in json.loads((out / PLAN).read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def write_picture_plan(out: Path, plan: PicturePlan, data_hash: str) -> None:
    """Write the choices; an old checkpoint there is forgotten."""
    # A network that cannot be built leaves no run behind: this comes after it.
    (out / CHECKPOINT).unlink(missing_ok=True)
    said = {"data_hash": data_hash, **dataclasses.asdict(plan)}
    write_file(out / PLAN, (json.dumps(said, indent=1) + "\n").encode())


def check_same(out: Path, data_hash: str) -> None:
    """Refuse to go on with other data than the run was started with."""
    before = json.loads((out / PLAN).read_bytes()).get("data_hash")
    if before != data_hash:
        raise EdgecrnnError(
            f"{out}: expected the data that the run was started with, got other files "
            f"(SHA-256 {str(before)[:12]}… then, {data_hash[:12]}… now); start a new run with --out"
        )
