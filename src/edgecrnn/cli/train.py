"""`edgecrnn train DATA --out RUN`: a CRNN from a folder of pictures or clips."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.cli.budget import Budget, read_budget, widest
from edgecrnn.cli.config import add_config
from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.cli.unused import refuse_unused
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.augment import PICTURE_CROP, Augmentation
from edgecrnn.train.data.store import DataSettings
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.settings import TrainSettings

if TYPE_CHECKING:
    from edgecrnn.train.fit import Epoch
    from edgecrnn.train.plan import Plan

_SETTINGS = (Preprocessing, DataSettings, NetworkSettings, TrainSettings, Augmentation)
_SIZE = "64x64"
_SKIPPED = {Preprocessing: ("height", "width"), DataSettings: ("shortest", "seed")}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("data", type=Path, metavar="DATA", help="[split/]class/file")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder to write")
    parser.add_argument(
        "--budget",
        metavar="TEXT",
        help="time for a frame, which decides --width: '5 ms linux-x86_64' or '5 ms at 12 M' "
        "(million multiply-adds a millisecond)",
    )
    parser.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="also write the history for TensorBoard"
    )
    parser.add_argument(
        "--no-explanations", action="store_true",
        help="leave out of the report what the network looked at, which takes some seconds",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of the --task's own, for example noise=15 of denoise; see docs/tasks.md",
    )  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("--force", action="store_true", help="replace a run that is there")
    add_choices(parser)


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add every choice of a training, by flag or by file."""
    parser.add_argument(
        "--size", metavar="WxH", help=f"frame that the model reads (default {_SIZE})"
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML or YAML file of the settings below; flags win",
    )
    for cls in _SETTINGS:
        add_settings(parser, cls, skip=_SKIPPED.get(cls, ()))


def read_choices(args: argparse.Namespace) -> None:
    """Take over what the file of --config says and no flag does."""
    if args.config is not None:
        add_config(args, args.config, _SETTINGS, ("size",), ("height", "shortest"))


def execute(args: argparse.Namespace) -> int:
    """Train, judge, report."""
    from edgecrnn.cli.progress import TrainingProgress
    from edgecrnn.train.data.cache import cache_root
    from edgecrnn.train.data.digests import digests_of
    from edgecrnn.train.data.layout import read_layout
    from edgecrnn.train.data.shared import refuse_shared
    from edgecrnn.train.data.store import load
    from edgecrnn.train.machines import is_chief, join_machines
    from edgecrnn.train.plan import check_plan, read_plan
    from edgecrnn.train.tensorboard import TensorBoardLog
    from edgecrnn.train.tensorflow_start import start_tensorflow

    if Path.cwd().is_relative_to(args.out.resolve()):
        # The run is renamed into place: a way that begins here would lead to the old folder.
        args.out = args.out.resolve()
    if _answers_pictures(args):
        from edgecrnn.cli.train_pictures import execute_pictures

        return execute_pictures(args)
    if args.set:
        raise EdgecrnnError(
            "--set: expected a --task with settings of its own beside it, got none; leave it out"
        )
    if args.resume:
        refuse_settings(args)
        plan = read_plan(args.out, args.data)
        digests = digests_of(args.data, cache_root(plan.data.cache))
        layout = read_layout(args.data, plan.data.seed, digest=digests)
    else:
        read_choices(args)
        if is_chief():
            check_new_run(args.out, args.force)
        if args.budget is not None:
            if hasattr(args, "width"):
                raise EdgecrnnError("--budget: expected no --width beside it, got both; leave one")
            read_budget(args.budget)
        digests = digests_of(args.data, cache_root(getattr(args, "cache", "")))
        layout = read_layout(args.data, 0, digest=digests)
        plan = plan_of(args, layout.kind)
    check_plan(plan, layout.kind)
    # Whatever the seed: a split that is made keeps identical files together.
    refuse_shared(layout, plan.data.allow_shared)
    show = _loading if sys.stderr.isatty() else None
    data = load(args.data, plan.preprocessing, plan.data, progress=show, digests=digests)
    for note in data.notes:
        _say(f"note: {note}")
    for item in data.skipped:
        _say(f"skipped {item.path}: {item.reason}")
    _say(
        f"{data.kind} of {len(data.labels)} classes: "
        + ", ".join(f"{len(store)} {split}" for split, store in data.splits.items())
        + (f"; {data.frame_rate:g} frames a second" if data.frame_rate else "")
        + ("; the split was made by seed" if data.made_split else "")
    )
    # TensorFlow is imported only now: a mistake in the data is told at once.
    start_tensorflow()
    from edgecrnn.train.training import Watch, train

    if args.budget is not None and not args.resume:
        plan = _within(plan, read_budget(args.budget), len(data.labels))
    machines = join_machines()
    progress = TrainingProgress()
    with contextlib.ExitStack() as ending:
        tellers = [progress.epoch] if machines.chief else []
        if machines.chief and args.tensorboard is not None:
            tellers.append(ending.enter_context(TensorBoardLog(args.tensorboard)).epoch)

        def epoch_done(part: str, line: Epoch) -> None:
            for tell in tellers:
                tell(part, line)

        watch = Watch(progress.step if machines.chief else _silent, epoch_done)
        record, fitted = train(args.data, args.out, data, plan, args.resume, watch, machines)
    if fitted.interrupted:
        _say(
            f"\nstopped; the best weights so far (epoch {fitted.best_epoch}) are in "
            f"{args.out / 'model.keras'}; go on with: "
            f"edgecrnn train {args.data} --out {args.out} --resume"
        )
        return 130
    if not machines.chief:
        _say(f"worker {machines.worker} is done; worker 0 writes the run")
        return 0
    from edgecrnn.train.judge import explain_run, judge_run, report_run
    from edgecrnn.train.run_folder import REPORT

    judged = judge_run(args.out, record, data)
    if not args.no_explanations:
        explain_run(args.out, judged)
    report_run(args.out, record, judged)
    from edgecrnn.train.evaluation.text import evaluation_text, shown

    print(f"on {judged.chosen.said}:\n")
    print(evaluation_text(judged.evaluation))
    print(
        f"{record.parameters:,} parameters, {record.multiply_adds / 1e6:.2f} million multiply-adds "
        f"a {'frame' if record.kind == 'clips' else 'picture'}, best epoch {record.best_epoch}"
    )
    print(f"run     {shown(str(args.out), 1000)}\nreport  {shown(str(args.out / REPORT), 1000)}")
    return 0


def _answers_pictures(args: argparse.Namespace) -> bool:
    """Whether the task is one that answers with something else than labels."""
    from edgecrnn.train.pictures.plan import is_picture_plan
    from edgecrnn.train.tasks import is_picture_task

    if args.resume:
        return is_picture_plan(args.out)
    if args.config is not None:
        read_choices(args)
        args.config = None
    return hasattr(args, "task") and is_picture_task(args.task)


def plan_of(args: argparse.Namespace, kind: str) -> Plan:
    """Every choice that the flags make; what they leave open follows from the kind of data."""
    from edgecrnn.train.plan import Plan

    width, height = read_size(args.size or _SIZE)
    if not hasattr(args, "sequence"):
        args.sequence = "time" if kind == "clips" else "columns"
    if not hasattr(args, "crop") and kind == "pictures":
        args.crop = PICTURE_CROP
    train = read_settings(TrainSettings, args)
    plan = Plan(
        preprocessing=read_settings(Preprocessing, args, width=width, height=height),
        data=read_settings(DataSettings, args, shortest=train.window, seed=train.seed),
        network=read_settings(NetworkSettings, args),
        train=train,
        augmentation=read_settings(Augmentation, args),
    )
    refuse_unused(args, plan, kind)
    return plan


def read_size(given: str) -> tuple[int, int]:
    """(width, height) of WIDTHxHEIGHT."""
    size = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", given)
    if size is None:
        raise EdgecrnnError(f"--size: expected WIDTHxHEIGHT, for example 64x48, got {given!r}")
    return int(size.group(1)), int(size.group(2))


def _within(plan: Plan, budget: Budget, classes: int) -> Plan:
    """The plan with the widest network that the budget has time for."""
    from edgecrnn.train.network.cost import multiply_adds
    from edgecrnn.train.network.network import build_network

    shape = plan.preprocessing.frame_shape
    width, cost = widest(
        plan.network,
        budget,
        lambda settings: multiply_adds(build_network(settings, shape, classes)),
    )
    _say(
        f"budget: width {width:g}, {cost / 1e6:.2f} million multiply-adds a frame of "
        f"{budget.multiply_adds / 1e6:.2f} million in {budget.milliseconds:g} ms ({budget.said})"
    )
    return dataclasses.replace(plan, network=dataclasses.replace(plan.network, width=width))


def check_new_run(out: Path, force: bool) -> None:
    """Refuse a folder that holds something already, and say how to go on with a run there."""
    from edgecrnn.train.plan import CHECKPOINT, PLAN
    from edgecrnn.train.run_folder import RECORD

    if (out / CHECKPOINT).exists() and not force:
        raise EdgecrnnError(
            f"{out}: expected a path that does not exist yet, got a run; go on with it by "
            "--resume, choose another with --out, or replace it with --force"
        )
    check_output(out, force, (RECORD, PLAN))


def refuse_settings(args: argparse.Namespace) -> None:
    """Resuming takes every setting from the run; another one would make it another run."""
    for name in ("size", "config", "budget", "set"):
        if getattr(args, name) not in (None, []):
            raise EdgecrnnError(
                f"--{name}: expected no settings beside --resume, which goes on with those of the "
                "run; leave it out, or start a new run"
            )
    for cls in _SETTINGS:
        skipped = _SKIPPED.get(cls, ())
        for field in dataclasses.fields(cls):
            if field.name not in skipped and hasattr(args, field.name):
                raise EdgecrnnError(
                    f"--{field.name.replace('_', '-')}: expected no settings beside --resume, "
                    "which goes on with those of the run; leave it out, or start a new run"
                )


def _silent(part: str, epoch: int, epochs: int, step: int, steps: int, loss: float) -> None:
    """The chief alone shows progress."""


def _loading(done: int, total: int) -> None:
    end = "\r\x1b[K" if done >= total else ""
    print(f"\rdecoding {done}/{total}{end}", end="", file=sys.stderr, flush=True)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
