"""`edgecrnn train DATA --task TASK` for tasks that answer with something else than labels."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
from typing import Any

from edgecrnn.cli.flags import flag, read_settings
from edgecrnn.cli.train import check_new_run, read_size, refuse_settings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.store import DataSettings
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.pictures.plan import PicturePlan, read_picture_plan
from edgecrnn.train.settings import TrainSettings

_SIZE = "96x96"
# What the flags of labels and clips say that a picture task has a use for.
_USED = {
    Preprocessing: ("height", "width", "color", "fit"),
    NetworkSettings: ("task", "width", "units", "blocks", "cell_clip"),
    TrainSettings: (
        "epochs", "batch", "learning_rate", "schedule", "average", "clip_norm", "weight_decay",
        "patience", "seed", "adversarial",
    ),
    DataSettings: ("seed",),  # the same flag as training's
    Augmentation: (),
}  # fmt: skip


def execute_pictures(args: argparse.Namespace) -> int:
    """Train, measure, report."""
    from edgecrnn.cli.progress import PictureProgress
    from edgecrnn.cli.results import measures_text
    from edgecrnn.train.network.settings import check_frame
    from edgecrnn.train.pictures.found import find_pictures, shared_note
    from edgecrnn.train.pictures.load import load_pictures
    from edgecrnn.train.run_folder import REPORT
    from edgecrnn.train.tasks import picture_task

    if os.environ.get("TF_CONFIG"):
        raise EdgecrnnError(
            "TF_CONFIG: expected none for a picture task, which trains on one machine; unset it"
        )
    if args.budget is not None:
        raise EdgecrnnError("--budget: expected none for a picture task, got one; give --width")
    if args.resume:
        refuse_settings(args)
        plan = read_picture_plan(args.out)
    else:
        plan = _plan(args)
        check_new_run(args.out, args.force)
    task, settings = picture_task(plan.task), plan.settings
    check_frame(*task.frame_shape(settings, plan.preprocessing.frame_shape)[:2])
    layout = find_pictures(args.data, task.NEEDS, plan.train.seed)
    data = load_pictures(layout, plan.preprocessing)
    if note := shared_note(layout):
        _say(f"note: {note}")
    for item in data.skipped:
        _say(f"skipped {item.path}: {item.reason}")
    _say(
        f"{plan.task}: "
        + ", ".join(f"{len(each)} {split}" for split, each in data.splits.items())
        + (f" pictures of {len(data.labels)} classes" if data.labels else " pictures")
        + ("; the split was made by seed" if data.made_split else "")
    )
    from edgecrnn.train.tensorflow_start import start_tensorflow

    start_tensorflow()
    from edgecrnn.train.fit import Epoch
    from edgecrnn.train.pictures.judge import chosen_split, judge, keras_answer
    from edgecrnn.train.pictures.record import load_picture_model
    from edgecrnn.train.pictures.training import train_pictures
    from edgecrnn.train.report.pictures import write_picture_report
    from edgecrnn.train.tensorboard import TensorBoardLog
    from edgecrnn.train.training import Watch

    progress = PictureProgress()
    with contextlib.ExitStack() as ending:
        tellers: list[Any] = [progress.epoch]
        if args.tensorboard is not None:
            tellers.append(ending.enter_context(TensorBoardLog(args.tensorboard)).epoch)

        def epoch_done(part: str, line: Epoch) -> None:
            for tell in tellers:
                tell(part, line)

        watch = Watch(progress.step, epoch_done)
        record, fitted = train_pictures(args.data, args.out, data, plan, args.resume, watch)
    if fitted.interrupted:
        _say(
            f"\nstopped; the best weights so far (epoch {fitted.best_epoch}) are in "
            f"{args.out / 'model.keras'}; go on with: "
            f"edgecrnn train {args.data} --out {args.out} --resume"
        )
        return 130
    split, pictures = chosen_split(data)
    verdict = judge(
        task, settings, pictures, split, keras_answer(task, load_picture_model(args.out))
    )
    write_picture_report(args.out / REPORT, record, verdict)
    print(f"on the {split} split:\n\n{measures_text(verdict.measures, verdict.count)}")
    print(
        f"{record.parameters:,} parameters, {record.multiply_adds / 1e6:.1f} million multiply-adds "
        f"a picture, best epoch {record.best_epoch}"
    )
    print(f"run     {args.out}\nreport  {args.out / REPORT}")
    return 0


def _plan(args: argparse.Namespace) -> PicturePlan:
    from edgecrnn.train.tasks import picture_task

    for cls, used in _USED.items():
        for field in dataclasses.fields(cls):
            if hasattr(args, field.name) and field.name not in used:
                raise EdgecrnnError(
                    f"{flag(field.name)}: expected none for the task {args.task}, which has no "
                    "use for it; leave it out"
                )
    width, height = read_size(args.size or _SIZE)
    settings = read_own(picture_task(args.task).Settings, args.task, args.set)
    return PicturePlan(
        task=args.task,
        options=dataclasses.asdict(settings),
        preprocessing=read_settings(Preprocessing, args, width=width, height=height),
        network=read_settings(NetworkSettings, args, sequence="patches"),
        train=read_settings(TrainSettings, args),
    )


def read_own(cls: Any, task: str, given: list[str]) -> Any:
    """The task's own settings from the NAME=VALUE of --set."""
    from edgecrnn.runtime.settings import from_mapping

    values: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals:
            known = ", ".join(field.name for field in dataclasses.fields(cls)) or "nothing"
            raise EdgecrnnError(f"--set: expected NAME=VALUE, of {task} {known}, got {pair!r}")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return from_mapping(cls, values, f"--set of {task}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
