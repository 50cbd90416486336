"""The plan of a training: every choice, kept beside the checkpoint so that `--resume` goes on."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import folder_beside, move_over, not_written, write_file
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.runtime.settings import from_mapping
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.batches import stream_steps
from edgecrnn.train.data.store import Data, DataSettings
from edgecrnn.train.encoders import check_encoder
from edgecrnn.train.network.settings import NetworkSettings, check_blocks
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tasks import check_task

CHECKPOINT = "checkpoint.npz"
FROZEN_CHECKPOINT = "frozen-checkpoint.npz"
QUANTIZED_CHECKPOINT = "quantized-checkpoint.npz"
BASELINE_CHECKPOINT = "baseline-checkpoint.npz"
CHECKPOINTS = (FROZEN_CHECKPOINT, CHECKPOINT, QUANTIZED_CHECKPOINT, BASELINE_CHECKPOINT)
PLAN = "plan.json"
SETTINGS = "settings.toml"
# Frames of warm-up at most, however long the clips are.
_MOST_WARMUP = 8


@dataclass(frozen=True)
class Plan:
    """Every choice of a training."""

    preprocessing: Preprocessing
    data: DataSettings
    network: NetworkSettings
    train: TrainSettings
    augmentation: Augmentation


def check_plan(plan: Plan, kind: str) -> None:
    """Refuse what cannot be trained, before anything is decoded or built.

    Args:
        plan: the choices.
        kind: pictures or clips.
    """
    if plan.network.task is not None:
        check_task(plan.network.task)
    if plan.network.encoder is not None:
        check_encoder(plan.network.encoder)
    check_blocks(plan.network, plan.preprocessing.height, plan.preprocessing.width)
    if plan.network.readout == "mean" and kind == "clips":
        raise EdgecrnnError(
            "readout: expected last for clips, of which every frame gets an answer, got mean; "
            "leave out --readout"
        )
    if plan.train.adversarial:
        raise EdgecrnnError(
            f"adversarial: expected 0 for a task that names labels, got {plan.train.adversarial:g};"
            " leave out --adversarial, or give a --task that makes pictures"
        )
    if plan.train.frozen_epochs and not plan.network.weights:
        raise EdgecrnnError(
            f"frozen_epochs: expected 0 where nothing was learned elsewhere, got "
            f"{plan.train.frozen_epochs}; give --weights, or leave out --frozen-epochs"
        )
    sequence = plan.network.sequence
    if (sequence == "time") != (kind == "clips"):
        fitting = "time" if kind == "clips" else "columns or patches"
        raise EdgecrnnError(
            f"sequence: expected {fitting} for a folder of {kind}, got {sequence}; "
            "leave out --sequence and it follows from the data"
        )


def settled(plan: Plan, data: Data) -> Plan:
    """The plan with what was left open taken from the data and the encoder."""
    if plan.network.task not in (None, data.task):
        raise EdgecrnnError(
            f"task: expected {data.task}, which is what the data's labels are for, got "
            f"{plan.network.task}; leave out --task, or give "
            + ("one folder a class" if data.task == "multilabel" else "a file labels.csv")
        )
    network, train = dataclasses.replace(plan.network, task=data.task).filled(), plan.train
    if train.warmup is None:
        clip = int(np.median(np.diff(data.splits["train"].starts)))
        row = train.window * min(
            stream_steps(data.splits[split], train.batch, train.window)
            for split in ("train", "val")
        )
        # Half of what there is counts, however short the clips or the streams are.
        train = dataclasses.replace(train, warmup=min(_MOST_WARMUP, clip // 2, row // 2))
    return dataclasses.replace(plan, network=network, train=train)


def warmup_of(plan: Plan) -> int:
    """Frames that do not count; 0 for pictures. The plan is settled."""
    if plan.train.warmup is None:
        raise AssertionError("a plan is settled before anything is trained")
    return plan.train.warmup if plan.network.sequence == "time" else 0


def write_plan(out: Path, plan: Plan, data_hash: str) -> None:
    """Write the choices, and what data they were made for; an old checkpoint there is forgotten.

    Raises:
        EdgecrnnError: they cannot be written; then nothing is forgotten.
    """
    said = {"data_hash": data_hash, **dataclasses.asdict(plan)}
    try:
        with folder_beside(out / PLAN) as beside:
            write_file(beside / PLAN, (json.dumps(said, indent=1) + "\n").encode())
            # Before the plan changes: none of them may go on under another.
            for name in CHECKPOINTS:
                (out / name).unlink(missing_ok=True)
            move_over(beside / PLAN, out / PLAN)
    except OSError as error:
        raise not_written(out / PLAN, error) from error


def settings_text(plan: Plan) -> str:
    """Every choice as a file that `edgecrnn train DATA --config FILE` reads, for another run."""
    values = {
        name: value
        for part in dataclasses.asdict(plan).values()
        for name, value in part.items()
        # The frame's size is one flag; these two follow from others, the cache from the machine.
        if name not in ("height", "shortest", "cache")
    }
    size = f"{plan.preprocessing.width}x{plan.preprocessing.height}"
    # Texts, numbers, booleans and lists of them are written alike in JSON and in TOML.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]
    return "\n".join([f'size = "{size}"', *lines, ""])


def read_plan(out: Path, root: Path) -> Plan:
    """The choices that an interrupted training in `out` was started with.

    Raises:
        EdgecrnnError: there is none, or its file is damaged.
    """
    path = out / PLAN
    if not path.is_file() or not any((out / name).is_file() for name in CHECKPOINTS):
        raise EdgecrnnError(
            f"{out}: expected a run with a checkpoint to go on from, got none; "
            f"start one: edgecrnn train {root} --out {out}"
        )
    parts: dict[str, Any] = {
        "preprocessing": Preprocessing,
        "data": DataSettings,
        "network": NetworkSettings,
        "train": TrainSettings,
        "augmentation": Augmentation,
    }
    try:
        said = json.loads(path.read_bytes())
        return Plan(**{name: from_mapping(cls, said[name], name) for name, cls in parts.items()})
    except (ValueError, KeyError, TypeError, RecursionError, EdgecrnnError) as error:
        raise EdgecrnnError(
            f"{path}: expected the settings of a run, got {error}; train again with --force"
        ) from error


def check_same_data(out: Path, data_hash: str) -> None:
    """Refuse to go on with other data than the run was started with."""
    before = json.loads((out / PLAN).read_bytes()).get("data_hash")
    if before != data_hash:
        raise EdgecrnnError(
            f"{out}: expected the data that the run was started with, got other files "
            f"(SHA-256 {str(before)[:12]}… then, {data_hash[:12]}… now); start a new run with --out"
        )
