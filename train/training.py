"""`edgecrnn train`, whole: fit network and baseline, choose the decision, save the run."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import edgecrnn
from edgecrnn.runtime.files import new_folder, write_file
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.batches import (
    picture_batches,
    picture_steps,
    prefetch,
    stream_steps,
    stream_windows,
)
from edgecrnn.train.data.store import Data, FrameStore
from edgecrnn.train.data.window import every, mixed
from edgecrnn.train.decision_choice import choose_decision
from edgecrnn.train.fit import Epoch, Fitted, Trainee, Windows, fit
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
from edgecrnn.train.run_folder import (
    BASELINE,
    FORMAT,
    MODEL,
    DataRecord,
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
    root: Path, out: Path, data: Data, plan: Plan, resume: bool, watch: Watch
) -> tuple[RunRecord, Fitted]:
    """Fit, and write the run into `out`; an interruption leaves the best weights there too.

    Args:
        root: the data folder, for the record.
        out: the run's folder; its checkpoints are written every epoch.
        data: what `load` gave for `root`.
        plan: the choices.
        resume: go on from the checkpoints in `out`.
        watch: where progress goes.
    """
    from edgecrnn.train.network.fake_quant import quantized_trainee
    from edgecrnn.train.network.network import build_network, in_float32, step_model
    from edgecrnn.train.network.trainee import baseline_model, build_baseline, network_trainee

    if resume:
        check_same_data(out, data.hash)
    plan = settled(plan, data)
    settings, shape, classes = plan.train, plan.preprocessing.frame_shape, len(data.labels)
    network = build_network(plan.network, shape, classes, settings.seed, settings.precision)
    teacher = _teacher(data, plan)
    if not resume:
        write_plan(out, plan, data.hash)
    trainee = network_trainee(network, classes, settings.guidance)
    if settings.frozen_epochs:
        first = dataclasses.replace(settings, epochs=settings.frozen_epochs, patience=0)
        frozen = dataclasses.replace(trainee, frozen=True)
        early = dataclasses.replace(plan, train=first)
        if _fit_part(
            "frozen", frozen, data, early, out / FROZEN_CHECKPOINT, resume, watch
        ).interrupted:
            raise KeyboardInterrupt
    taught = teacher(trainee) if teacher else trainee
    fitted = _fit_part("network", taught, data, plan, out / CHECKPOINT, resume, watch)
    network = in_float32(network, classes)
    quantized, baseline, baseline_fitted = None, None, None
    if settings.quantization_aware and not fitted.interrupted:
        gently = dataclasses.replace(plan, train=_gently(plan.train))
        rounded = quantized_trainee(network)
        checkpoint = out / QUANTIZED_CHECKPOINT
        quantized = _fit_part("int8", rounded, data, gently, checkpoint, resume, watch)
        fitted = dataclasses.replace(fitted, interrupted=quantized.interrupted)
    if settings.baseline and not fitted.interrupted:
        baseline = build_baseline(plan.network, shape, classes, settings.seed)
        baseline_fitted = _fit_part(
            "baseline", baseline, data, plan, out / BASELINE_CHECKPOINT, resume, watch
        )
    record = _record(root, out, data, plan, network, fitted, quantized, baseline_fitted)
    with new_folder(out) as folder:
        step_model(network).save(folder / MODEL)
        if baseline is not None:
            baseline_model(baseline, shape).save(folder / BASELINE)
        write_record(folder, record)
        write_file(folder / SETTINGS, settings_text(plan).encode())
        for name in (PLAN, *CHECKPOINTS):
            if (out / name).is_file():
                shutil.copyfile(out / name, folder / name)
    interrupted = fitted.interrupted or bool(baseline_fitted and baseline_fitted.interrupted)
    return record, dataclasses.replace(fitted, interrupted=interrupted)


def _teacher(data: Data, plan: Plan) -> Callable[[Any], Trainee] | None:
    """Puts a trainee beside its teacher; None where there is none."""
    from edgecrnn.train.network.distillation import DistilledTrainee, read_teacher
    from edgecrnn.train.network.trainee import NetworkTrainee

    settings = plan.train
    if not settings.teacher:
        return None
    teacher = read_teacher(
        Path(settings.teacher).expanduser(), data.labels, plan.network.task, plan.preprocessing,
        data.frame_rate, plan.network.sequence,
    )  # fmt: skip
    return lambda student: DistilledTrainee(
        student, NetworkTrainee(teacher), settings.distillation, settings.temperature
    )


def _gently(settings: TrainSettings) -> TrainSettings:
    """Training for int8 starts where training ended, and must not unlearn it."""
    return dataclasses.replace(
        settings,
        epochs=settings.quantization_epochs,
        learning_rate=settings.learning_rate * _QUANTIZED_STEP,
        patience=0,
    )


def _lines(fitted: Fitted | None) -> tuple[dict[str, float], ...]:
    return tuple(vars(line) for line in fitted.history) if fitted else ()


def _fit_part(
    part: str,
    trainee: Trainee,
    data: Data,
    plan: Plan,
    checkpoint: Path,
    resume: bool,
    watch: Watch,
) -> Fitted:
    settings = plan.train
    stride = 1 if part != "baseline" or data.kind == "pictures" else _BASELINE_STRIDE
    train, val = data.splits["train"], data.splits["val"]
    steps = _steps(train, plan)
    return fit(
        trainee,
        _windows(train, data.labels, plan, stride, plan.augmentation),
        _windows(val, data.labels, plan, stride, None),
        steps,
        settings,
        checkpoint,
        resume,
        lambda epoch, step, loss: watch.on_step(part, epoch, settings.epochs, step, steps, loss),
        lambda epoch: watch.on_epoch(part, epoch),
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
) -> Windows:
    """Epoch number to its windows; validation (no augmentation) is never reset nor balanced."""
    s = plan.train
    training = augment is not None
    balanced = s.balanced and training
    mirrored = augment.mirrored(labels) if augment is not None else None

    def windows(epoch: int) -> Any:
        if plan.network.sequence == "time":
            reset_every = s.reset_every if training else float("inf")
            made = stream_windows(
                store, s.batch, s.window, warmup_of(plan) if stride == 1 else 0, s.seed, epoch,
                reset_every, augment, balanced, mirrored,
            )  # fmt: skip
        else:
            made = picture_batches(store, s.batch, s.seed, epoch, augment, balanced, mirrored)
        if s.mixup and training:
            made = mixed(made, s.mixup, s.seed, epoch)
        return prefetch(every(made, stride) if stride > 1 else made)

    return windows


def _record(
    root: Path,
    out: Path,
    data: Data,
    plan: Plan,
    network: Any,
    fitted: Fitted,
    quantized: Fitted | None,
    baseline: Fitted | None,
) -> RunRecord:
    from edgecrnn.train.evaluation.streams import counted_frames, stream_order, stream_scores
    from edgecrnn.train.predictors import network_predictor

    val = data.splits["val"]
    warmup = warmup_of(plan)
    predictor = network_predictor(network, data.labels)
    scores, labels = stream_scores(predictor, val, stream_order(val, plan.train.seed))
    decision = choose_decision(scores, labels, counted_frames(labels, warmup), warmup)
    counts = {
        split: {
            label: int(np.sum(store.labels == index)) for index, label in enumerate(data.labels)
        }
        for split, store in data.splits.items()
    }
    return RunRecord(
        format=FORMAT,
        name=out.absolute().name,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        made_by=f"edgecrnn {edgecrnn.__version__}",
        task=network.settings.task,
        kind=data.kind,
        labels=data.labels,
        frame_rate=data.frame_rate,
        preprocessing=plan.preprocessing,
        network=network.settings,
        train=plan.train,
        augmentation=dataclasses.asdict(plan.augmentation),
        data=DataRecord(
            root=str(root.absolute()),
            hash=data.hash,
            made_split=data.made_split,
            split_seed=plan.data.seed,
            counts=counts,
            skipped=tuple(f"{item.path}: {item.reason}" for item in data.skipped),
        ),
        decision=decision,
        parameters=sum(int(np.prod(weight.shape)) for weight in network.trainable_weights),
        best_epoch=fitted.best_epoch,
        history=_lines(fitted),
        baseline_history=_lines(baseline),
        quantized_history=_lines(quantized),
    )
