"""`edgecrnn demo`: the whole way on data that comes with the package."""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, write_file
from edgecrnn.runtime.own_module import module_words

if TYPE_CHECKING:
    from edgecrnn.train.evaluation.result import Evaluation
    from edgecrnn.train.plan import Plan
    from edgecrnn.train.report.content import VariantRow

# A folder with this file was made by the demo, so the demo may replace what is in it.
_MARK = "made-by-edgecrnn-demo.txt"
_DEVICE = "linux-x86_64"


@dataclass(frozen=True)
class Live:
    """What `edgecrnn run` made of the video."""

    frames: int  # past the warm-up after each change of class
    right: int
    unknown: int


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--out", type=Path, default=Path("edgecrnn-demo"), metavar="DIR",
        help="folder for data, run, bundle and report (default edgecrnn-demo)",
    )  # fmt: skip
    parser.add_argument(
        "--export", type=Path, metavar="DIR",
        help="only write the clips, to see the layout that train reads",
    )  # fmt: skip
    parser.add_argument(
        "--task", metavar="TASK",
        help="another task than naming motions, on pictures: denoise, segment, detect ...",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, default=16, help="of the training (default 16)")
    parser.add_argument("--clips", type=int, default=160, help="of each class (default 160)")
    parser.add_argument("--force", action="store_true", help="replace what is there")


def execute(args: argparse.Namespace) -> int:
    """Write the clips, train, convert, classify a video on the device runtime, tell."""
    from edgecrnn.train.demo.export import SPLITS, export
    from edgecrnn.train.demo.moving_digits import DemoSettings

    settings = DemoSettings(train=args.clips)
    if args.export is not None:
        check_output(args.export, args.force, SPLITS)
        export(args.export, settings)
        _say(f"wrote {args.export}: split/class/clip, the layout that edgecrnn train reads")
        return 0
    if not (args.out / _MARK).is_file():
        check_output(args.out, args.force, (_MARK,))
    if args.task is not None:
        return _demo_task(args)
    started = time.monotonic()
    data_folder, run = args.out / "data", args.out / "moving-digits"
    bundle = args.out / "moving-digits.edgecrnn"
    video = args.out / "stream.avi"
    args.out.mkdir(parents=True, exist_ok=True)
    write_file(args.out / _MARK, b"The demo may replace what is in this folder.\n")
    _head("data", "handwritten digits move; the class is the motion, no single frame shows it")
    export(data_folder, settings)
    evaluation, rows = _train_and_convert(data_folder, run, bundle, args.epochs)
    _head("run", f"a video through the device runtime: edgecrnn run {bundle} --source {video}")
    from edgecrnn.train.demo.export import make_stream

    truth = make_stream(video, settings)
    live = _run_live(bundle, video, truth, evaluation.warmup)
    print(_summary(evaluation, rows, live))
    print(f"report  {run / 'report.html'}")
    print(f"bundle  {bundle}")
    print(f"took    {time.monotonic() - started:.0f} s")
    return 0


def _demo_task(args: argparse.Namespace) -> int:
    from edgecrnn.cli.demo_pictures import demo_pictures
    from edgecrnn.train.tasks import is_picture_task, task_names

    if not is_picture_task(args.task):
        others = ", ".join(name for name in task_names() if is_picture_task(name))
        raise EdgecrnnError(
            f"--task: expected one of {others}, got {args.task}; the demo without --task shows it"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    write_file(args.out / _MARK, b"The demo may replace what is in this folder.\n")
    return demo_pictures(args.task, args.out, args.epochs)


def _train_and_convert(
    data_folder: Path, run: Path, bundle: Path, epochs: int
) -> tuple[Evaluation, Sequence[VariantRow]]:
    from edgecrnn.train.tensorflow_start import start_tensorflow

    start_tensorflow()
    from edgecrnn.cli.progress import TrainingProgress
    from edgecrnn.convert.conversion import convert
    from edgecrnn.convert.from_run import run_subject
    from edgecrnn.convert.report import report_conversion
    from edgecrnn.convert.settings import ConvertSettings
    from edgecrnn.devices.profile import load_profile
    from edgecrnn.train.data.store import load
    from edgecrnn.train.training import Watch, train

    plan = _plan(epochs)
    data = load(data_folder, plan.preprocessing, plan.data)
    _head("train", f"edgecrnn train {data_folder} --out {run}")
    progress = TrainingProgress()
    record, fitted = train(
        data_folder, run, data, plan, False, Watch(progress.step, progress.epoch)
    )
    if fitted.interrupted:
        raise KeyboardInterrupt
    _head("convert", f"edgecrnn convert {run} --device {_DEVICE} --out {bundle}")
    subject = run_subject(run, record, data, ConvertSettings())
    converted = convert(subject, load_profile(_DEVICE), bundle, ConvertSettings(), _say)
    judged, rows = report_conversion(run, record, data, bundle, converted, explain=True)
    return judged.evaluation, rows


def _plan(epochs: int) -> Plan:
    """Small frames and small batches: many updates in little time."""
    from edgecrnn.runtime.preprocess import Preprocessing
    from edgecrnn.train.data.augment import Augmentation
    from edgecrnn.train.data.store import DataSettings
    from edgecrnn.train.network.settings import NetworkSettings
    from edgecrnn.train.plan import Plan
    from edgecrnn.train.settings import TrainSettings

    return Plan(
        Preprocessing(height=48, width=48),
        DataSettings(),
        NetworkSettings(dropout=0.1),
        TrainSettings(epochs=epochs, batch=8),
        # The clips are made at random already.
        Augmentation(crop=0.0, brightness=0.0, contrast=0.0, noise=0.0),
    )


def _run_live(bundle: Path, video: Path, truth: Path, warmup: int) -> Live:
    """Run the device's own command in a process of its own, and compare what it says."""
    command = module_words("edgecrnn", "run", str(bundle), "--source", str(video))
    done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise EdgecrnnError(f"edgecrnn run ended with code {done.returncode} on {video}")
    labels = _true_labels(truth)
    frames = right = unknown = 0
    since_change, before = 0, ""
    for line in done.stdout.splitlines():
        said = json.loads(line)
        true = labels[said["frame"]]
        since_change = since_change + 1 if true == before else 0
        before = true
        if since_change >= warmup:
            frames += 1
            right += said["label"] == true
            unknown += said["label"] == "unknown"
    return Live(frames, right, unknown)


def _true_labels(table: Path) -> list[str]:
    labels: list[str] = []
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            labels += [row["label"]] * (int(row["end_frame"]) - int(row["start_frame"]))
    return labels


def _summary(evaluation: Evaluation, rows: Sequence[VariantRow], live: Live) -> str:
    from edgecrnn.train.evaluation.text import percent, table

    lines = [("", "clips", "stream", "size", "a frame")]
    if evaluation.baseline is not None:
        baseline = evaluation.baseline
        lines.append(
            (
                "without memory (single frames)",
                percent(baseline.clip_accuracy),
                percent(baseline.stream_accuracy),
                "",
                "",
            )
        )
    for index, row in enumerate(rows):
        preferred = ", preferred" if index == 1 else ""
        lines.append(
            (
                f"CRNN, {row.name}{preferred}",
                percent(row.clip_accuracy),
                percent(row.stream_accuracy),
                "" if index == 0 else f"{row.size / 1000:.0f} kB",
                "" if row.milliseconds is None else f"{row.milliseconds:.3f} ms",
            )
        )
    said = (
        f"live on the video: {percent(live.right / max(1, live.frames))} of {live.frames} frames "
        f"right, {percent(live.unknown / max(1, live.frames))} unknown\n"
        f"the first {evaluation.warmup} frames after a change of class do not count"
    )
    return f"\n{table(lines)}\n{said}\n"


def _head(step: str, what: str) -> None:
    _say(f"\n== {step}: {what}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
