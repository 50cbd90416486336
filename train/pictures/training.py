"""`edgecrnn train --task TASK` for a picture task, whole: fit, measure, save the run."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from pathlib import Path
from typing import Any

import edgecrnn
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import new_folder, not_written
from edgecrnn.train.data.prefetch import Prefetch
from edgecrnn.train.fit import Fitted, fit
from edgecrnn.train.network.cost import model_multiply_adds
from edgecrnn.train.pictures.adversary import Adversary, build_adversary
from edgecrnn.train.pictures.either import Either
from edgecrnn.train.pictures.examples import batch_steps, judged_batches, training_batches
from edgecrnn.train.pictures.judge import judge, keras_answer
from edgecrnn.train.pictures.load import PictureData
from edgecrnn.train.pictures.network import Judging, PictureTrainee, build_picture_model
from edgecrnn.train.pictures.pair import GENERATE, Pair, output_name
from edgecrnn.train.pictures.plan import PicturePlan, check_same, write_picture_plan
from edgecrnn.train.pictures.record import PictureRecord, PictureSource, write_picture_record
from edgecrnn.train.plan import CHECKPOINT, PLAN
from edgecrnn.train.run_folder import FORMAT, MODEL
from edgecrnn.train.tasks import PictureTask, picture_task
from edgecrnn.train.training import Watch


def train_pictures(
    root: Path, out: Path, data: PictureData, plan: PicturePlan, resume: bool, watch: Watch
) -> tuple[PictureRecord, Fitted]:
    """Fit, and write the run into `out`; an interruption leaves the best weights there too.

    Args:
        root: the data folder, for the record.
        out: the run's folder; its checkpoint is written every epoch.
        data: what `load_pictures` gave.
        plan: the choices.
        resume: go on from the checkpoint in `out`.
        watch: where progress goes.
    """
    import keras

    task, settings, train = picture_task(plan.task), plan.settings, plan.train
    if "train" not in data.splits or "val" not in data.splits:
        raise EdgecrnnError(f"{root}: expected pictures to train on and to validate with, got none")
    shape, network = plan.preprocessing.frame_shape, plan.network.filled()
    model = build_picture_model(task, settings, network, shape, len(data.labels), train.seed)
    adversary = _adversary(task, plan, len(data.labels))
    seeds = keras.random.SeedGenerator(train.seed)
    trainee = PictureTrainee(model, Judging(task, settings), seeds, adversary)
    if resume:
        check_same(out, data.hash)
    else:
        write_picture_plan(out, plan, data.hash)
    steps = batch_steps(data.splits["train"], train.batch)
    validation = list(judged_batches(task, settings, data.splits["val"], "val", train.batch))

    def windows(epoch: int) -> Any:
        return Prefetch(
            training_batches(task, settings, data.splits["train"], train.batch, train.seed, epoch)
        )

    fitted = fit(
        trainee, windows, lambda _: iter(validation), steps, train, out / CHECKPOINT, resume,
        lambda epoch, step, loss: watch.on_step("network", epoch, train.epochs, step, steps, loss),
        lambda epoch: watch.on_epoch("network", epoch),
    )  # fmt: skip
    verdict = judge(task, settings, data.splits["val"], "val", keras_answer(task, model))
    record = PictureRecord(
        format=FORMAT,
        name=out.absolute().name,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        made_by=f"edgecrnn {edgecrnn.__version__}",
        task=plan.task,
        options=dataclasses.asdict(settings),
        labels=data.labels,
        preprocessing=plan.preprocessing,
        network=dataclasses.replace(network, task=plan.task),
        train=train,
        data=PictureSource(
            root=str(root.resolve()),
            hash=data.hash,
            made_split=data.made_split,
            split_seed=train.seed,
            counts={split: len(pictures) for split, pictures in data.splits.items()},
            skipped=tuple(f"{item.path}: {item.reason}" for item in data.skipped),
        ),
        parameters=sum(int(weight.numpy().size) for weight in model.trainable_weights),
        multiply_adds=model_multiply_adds(model),
        best_epoch=fitted.best_epoch,
        history=tuple(vars(line) for line in fitted.history),
        validation={name: one.value for name, one in verdict.measures.items()},
    )
    _write_run(out, model, record)
    return record, fitted


def _adversary(task: PictureTask, plan: PicturePlan, classes: int) -> Adversary | None:
    """The discriminator that was asked for.

    Raises:
        EdgecrnnError: the task makes no pictures.
    """
    if not plan.train.adversarial:
        return None
    parts = (task.first, task.second) if isinstance(task, Pair) else (task,)
    if "picture" not in map(output_name, parts):
        raise EdgecrnnError(
            f"--adversarial: expected a task that makes pictures, got {plan.task}; leave it out"
        )
    asked = task.by_class if isinstance(task, Either) else plan.task == GENERATE
    shape, named = plan.preprocessing.frame_shape, classes if asked else 0
    return build_adversary(shape, plan.network.filled(), named, plan.train.adversarial)


def _write_run(out: Path, model: Any, record: PictureRecord) -> None:
    """The whole folder beside its place, then one rename: it is the old run or the new one."""
    try:
        with new_folder(out) as beside:
            model.save(beside / MODEL)
            for name in (CHECKPOINT, PLAN):
                if (out / name).is_file():
                    shutil.copy2(out / name, beside / name)
            write_picture_record(beside, record)
    except OSError as error:
        raise not_written(out, error) from error
