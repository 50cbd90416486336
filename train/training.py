"""`edgecrnn train`, whole: fit network and baseline, choose the decision, save the run."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import new_folder, not_written, write_file
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.batches import (
    picture_batches,
    picture_steps,
    stream_steps,
    stream_windows,
)
from edgecrnn.train.data.prefetch import Prefetch
from edgecrnn.train.data.store import Data, FrameStore
from edgecrnn.train.data.window import every, mixed
from edgecrnn.train.fit import Epoch, Fitted, Trainee, Windows, fit
from edgecrnn.train.machines import ALONE, Machines
from edgecrnn.train.plan import (
    BASELINE_CHECKPOINT,
    CHECKPOINT,
    CHECKPOINTS,
    FROZEN_CHECKPOINT,
    PLAN,
    QUANTIZED_CHECKPOINT,
    SETTINGS,
    Plan,
    check_same_data,
    settings_text,
    settled,
    warmup_of,
    write_plan,
)
from edgecrnn.train.recording import Parts, record_of
from edgecrnn.train.run_folder import (
    BASELINE,
    MODEL,
    RunRecord,
    write_record,
)
from edgecrnn.train.settings import TrainSettings

# The baseline sees every 4th frame: the ones between look the same to a network without memory.
_BASELINE_STRIDE = 4
# The step of training for int8 as a share of the one before.
_QUANTIZED_STEP = 0.1


@dataclass(frozen=True)
class Watch:
    """Where progress goes: (part, epoch, epochs, step, steps, loss), and finished epochs."""

    on_step: Callable[[str, int, int, int, int, float], None]
    on_epoch: Callable[[str, Epoch], None]


def train(
    root: Path,
    out: Path,
    data: Data,
    plan: Plan,
    resume: bool,
    watch: Watch,
    machines: Machines = ALONE,
) -> tuple[RunRecord, Fitted]:
    """Fit, and write the run into `out`; an interruption leaves the best weights there too.

    Args:
        root: the data folder, for the record.
        out: the run's folder; its checkpoints are written every epoch.
        data: what `load` gave for `root`.
        plan: the choices.
        resume: go on from the checkpoints in `out`.
        watch: where progress goes.
        machines: that train together; only the chief writes.
    """
    if resume:
        check_same_data(out, data.hash)
    _check_validation(root, data)
    plan = settled(plan, data)
    _check_streams(data, plan)
    machines.rows(plan.train.batch)
    if plan.train.teacher:
        _check_teacher(data, plan)
    with machines.strategy.scope():
        parts = _fit_parts(out, data, plan, resume, watch, machines)
    record = record_of(root, out, data, plan, parts)
    if machines.chief:
        _write_run(out, plan, parts, record)
    return record, dataclasses.replace(parts.fitted["network"], interrupted=parts.interrupted)


def _fit_parts(
    out: Path, data: Data, plan: Plan, resume: bool, watch: Watch, machines: Machines
) -> Parts:
    """The network, for int8 where asked for, and the baseline, one after the other."""
    from edgecrnn.train.network.fake_quant import quantized_trainee
    from edgecrnn.train.network.network import build_network, plain_copy
    from edgecrnn.train.network.trainee import build_baseline, network_trainee

    settings, shape, classes = plan.train, plan.preprocessing.frame_shape, len(data.labels)
    network = build_network(plan.network, shape, classes, settings.seed, settings.precision)
    trainee: Trainee = network_trainee(network, classes, settings.guidance)
    if machines.chief and not resume:
        # Only now: a network that cannot be built leaves no run behind.
        write_plan(out, plan, data.hash)
    fitted: dict[str, Fitted] = {}

    def fit_part(part: str, trainee: Trainee, plan: Plan, checkpoint: str) -> bool:
        """Whether it came to its end."""
        try:
            fitted[part] = _fit_part(
                part, trainee, data, plan, out / checkpoint, resume, watch, machines
            )
        except KeyboardInterrupt:
            if "network" not in fitted:
                raise
            # In its first epoch: what was trained before stands.
            fitted["network"] = dataclasses.replace(fitted["network"], interrupted=True)
            return False
        return not fitted[part].interrupted

    if settings.frozen_epochs:
        first = dataclasses.replace(settings, epochs=settings.frozen_epochs, patience=0)
        frozen = dataclasses.replace(trainee, frozen=True)  # type: ignore[type-var]
        early = dataclasses.replace(plan, train=first)
        if not fit_part("frozen", frozen, early, FROZEN_CHECKPOINT):
            raise KeyboardInterrupt
    if settings.teacher:
        trainee = _taught(trainee, settings)
    going = fit_part("network", trainee, plan, CHECKPOINT)
    if settings.precision != "float32":
        network = plain_copy(network, classes)
    if settings.quantization_aware and going:
        gently = dataclasses.replace(plan, train=_gently(plan.train))
        going = fit_part("int8", quantized_trainee(network), gently, QUANTIZED_CHECKPOINT)
    baseline = None
    if settings.baseline and going:
        baseline = build_baseline(plan.network, shape, classes, settings.seed)
        fit_part("baseline", baseline, plan, BASELINE_CHECKPOINT)
    return Parts(network, baseline if "baseline" in fitted else None, fitted)


def _write_run(out: Path, plan: Plan, parts: Parts, record: RunRecord) -> None:
    from edgecrnn.train.network.network import step_model
    from edgecrnn.train.network.trainee import baseline_model

    shape = plan.preprocessing.frame_shape
    try:
        with new_folder(out) as folder:
            step_model(parts.network).save(folder / MODEL)
            if parts.baseline is not None:
                baseline_model(parts.baseline, shape).save(folder / BASELINE)
            write_record(folder, record)
            write_file(folder / SETTINGS, settings_text(plan).encode())
            for name in (PLAN, *CHECKPOINTS):
                if (out / name).is_file():
                    shutil.copyfile(out / name, folder / name)
    except OSError as error:
        # What is trained so far stands in the checkpoints: --resume only writes this again.
        raise not_written(out, error) from error


def _check_validation(root: Path, data: Data) -> None:
    """Refuse data whose few files for validation were all skipped."""
    if not len(data.splits["val"]):
        reason = f", for example {data.skipped[0].path}" if data.skipped else ""
        raise EdgecrnnError(
            f"{root}: expected usable files in val, by which the epoch is chosen, got none: all "
            f"were skipped{reason}; replace them"
        )


def _check_streams(data: Data, plan: Plan) -> None:
    """Refuse, before anything is written, what the first window would: no frame that counts."""
    s = plan.train
    plan.augmentation.mirrored(data.labels)
    if plan.network.sequence == "time":
        for split, resets in (("train", s.reset_every), ("val", math.inf)):
            store = data.splits[split]
            next(stream_windows(store, s.batch, s.window, warmup_of(plan), s.seed, 0, resets), None)


def _check_teacher(data: Data, plan: Plan) -> None:
    from edgecrnn.train.network.distillation import check_teacher

    run, network = Path(plan.train.teacher).expanduser(), plan.network
    check_teacher(
        run, data.labels, data.task, plan.preprocessing, data.frame_rate, network.sequence
    )


def _taught(student: Any, settings: TrainSettings) -> Trainee:
    """The trainee beside its teacher."""
    from edgecrnn.train.network.distillation import DistilledTrainee, read_teacher
    from edgecrnn.train.network.trainee import NetworkTrainee

    teacher = NetworkTrainee(read_teacher(Path(settings.teacher).expanduser()))
    return DistilledTrainee(student, teacher, settings.distillation, settings.temperature)


def _gently(settings: TrainSettings) -> TrainSettings:
    """Training for int8 starts where training ended, and must not unlearn it."""
    return dataclasses.replace(
        settings,
        epochs=settings.quantization_epochs,
        learning_rate=settings.learning_rate * _QUANTIZED_STEP,
        patience=0,
    )


def _fit_part(
    part: str,
    trainee: Trainee,
    data: Data,
    plan: Plan,
    checkpoint: Path,
    resume: bool,
    watch: Watch,
    machines: Machines,
) -> Fitted:
    settings = plan.train
    stride = 1 if part != "baseline" or data.kind == "pictures" else _BASELINE_STRIDE
    train, val = data.splits["train"], data.splits["val"]
    steps = _steps(train, plan)
    return fit(
        trainee,
        _windows(train, data.labels, plan, stride, plan.augmentation, machines),
        _windows(val, data.labels, plan, stride, None, machines),
        steps,
        settings,
        checkpoint,
        resume,
        lambda epoch, step, loss: watch.on_step(part, epoch, settings.epochs, step, steps, loss),
        lambda epoch: watch.on_epoch(part, epoch),
        machines,
        len(val),
    )


def _steps(store: FrameStore, plan: Plan) -> int:
    if plan.network.sequence == "time":
        return stream_steps(store, plan.train.batch, plan.train.window)
    return picture_steps(store, plan.train.batch)


def _windows(
    store: FrameStore,
    labels: tuple[str, ...],
    plan: Plan,
    stride: int,
    augment: Augmentation | None,
    machines: Machines,
) -> Windows:
    """Epoch number to its windows; validation (no augmentation) is never reset nor balanced."""
    s = plan.train
    training = augment is not None
    balanced = s.balanced and training
    mirrored = augment.mirrored(labels) if augment is not None else None
    rows = machines.rows(s.batch)

    def windows(epoch: int) -> Any:
        if plan.network.sequence == "time":
            reset_every = s.reset_every if training else math.inf
            made = stream_windows(
                store, s.batch, s.window, warmup_of(plan) if stride == 1 else 0, s.seed, epoch,
                reset_every, augment, balanced, mirrored, rows,
            )  # fmt: skip
        else:
            made = picture_batches(store, s.batch, s.seed, epoch, augment, balanced, mirrored, rows)
        if s.mixup and training:
            made = mixed(made, s.mixup, s.seed, epoch)
        return Prefetch(every(made, stride) if stride > 1 else made)

    return windows
