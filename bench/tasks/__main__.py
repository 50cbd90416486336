"""Every picture task against the usual method, on the same test pictures.

    python bench/tasks DATA --out FOLDER [--only TASK ...] [--brisque PYTHON]
    python bench/tasks --table FOLDER [--write docs/tasks.md] [--images docs/images]

DATA holds the unpacked sets; scenes of digits are made. Each task is trained and converted by the
`edgecrnn` commands with the flags in contests.py. The usual method's settings are chosen on
validation pictures; test pictures choose nothing. One JSON file a result: what is there is not
done again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import baselines
import cv2
import labels as label_tasks
import numpy as np
from arrangements import export_arrangements
from commands import edgecrnn
from contests import CONTESTS, Contest
from generation import export_digits, judged
from table import pictures_of, table, written

from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.runtime.answers import OUTPUT_OF, teller_of
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.compressing import Encoder
from edgecrnn.runtime.engine import load_engine
from edgecrnn.train.demo.scenes import SceneSettings, export_scenes
from edgecrnn.train.measures.bootstrap import gain
from edgecrnn.train.pictures.examples import as_answer, fixed_examples
from edgecrnn.train.pictures.found import find_pictures
from edgecrnn.train.pictures.judge import (
    PictureVerdict,
    engine_answer,
    judge,
    keras_answer,
    measured,
)
from edgecrnn.train.pictures.load import load_pictures
from edgecrnn.train.pictures.record import load_picture_model, read_picture_record
from edgecrnn.train.run_folder import read_record
from edgecrnn.train.tasks import LABEL_TASKS, PictureTask, picture_task

_CHECK = ConvertSettings(check=200, calibration_frames=200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="*", default=[each.title for each in CONTESTS])
    parser.add_argument("--table", type=Path)
    parser.add_argument("--write", type=Path, help="put the table between its marks there")
    parser.add_argument("--images", type=Path, help="put the pictures there")
    parser.add_argument("--brisque", metavar="PYTHON", help="of an environment with brisque")
    args = parser.parse_args()
    if args.table:
        print(table(args.table))
        if args.images:
            pictures_of(args.table, args.images)
        if args.write:
            args.write.write_text(written(args.write.read_text(), args.table))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    scenes = args.out / "scenes"
    if not scenes.exists():
        export_scenes(scenes, SceneSettings(train=900))
    digits = args.out / "digits"
    if not digits.exists():
        export_digits(digits)
    arrangements = args.out / "arrangements"
    if not arrangements.exists():
        export_arrangements(arrangements)
    for contest in CONTESTS:
        result = args.out / f"{contest.title}.json"
        if contest.title in args.only and not result.exists():
            made = {"scenes": scenes, "digits": digits, "arrangements": arrangements}
            data = made.get(contest.data, args.data / contest.data)
            facts = run(contest, data, args.out, args.brisque)
            result.write_text(json.dumps(facts, indent=1))
            print(json.dumps(facts, indent=1), flush=True)
    print(table(args.out))


def run(contest: Contest, data: Path, out: Path, brisque: str | None) -> dict[str, Any]:
    """Train, convert and judge one task, the usual method beside it."""
    folder, bundle = out / f"{contest.title}.run", out / f"{contest.title}.edgecrnn"
    flags = [*contest.flags, "--task", contest.task]
    if not (folder / "run.json").exists():
        edgecrnn("train", str(data), "--out", str(folder), "--force", *flags)
    if not bundle.exists():
        edgecrnn(
            "convert", str(folder), "--device", "linux-x86_64", "--out", str(bundle),
            "--check", str(_CHECK.check), "--calibration-frames", str(_CHECK.calibration_frames),
        )  # fmt: skip
    if contest.task in LABEL_TASKS:
        facts = label_tasks.judged(data, folder, bundle)
        seconds = sum(line["seconds"] for line in read_record(folder).history)
        about = {"task": contest.title, "said": contest.said}
        return {**facts, **about, "train_seconds": seconds, "flags": flags}
    record = read_picture_record(folder)
    seconds = sum(line["seconds"] for line in record.history)
    if contest.task == "generate":
        facts = judged(data, folder, bundle, out / f"{contest.title}.png")
        about = {"task": contest.title, "said": contest.said, "first": "frechet"}
        return {**facts, **about, "train_seconds": seconds, "flags": flags}
    task, settings = picture_task(record.task), record.settings
    layout = find_pictures(data, task.NEEDS, record.data.split_seed)
    loaded = load_pictures(layout, record.preprocessing)
    test = loaded.splits["test"]
    keras = judge(task, settings, test, "test", keras_answer(task, load_picture_model(folder)))
    engine = load_engine(open_bundle(bundle))
    shipped = judge(task, settings, test, "test", engine_answer(task, engine))
    name, theirs = _usual(task, contest, settings, loaded, keras.examples, open_bundle(bundle))
    others = []
    if contest.task == "quality" and brisque:
        frames = np.stack([example.frame for example in keras.examples])
        answers = baselines.brisque(frames, out, brisque)
        notes = task.notes(settings, answers, [each.target for each in keras.examples])
        others.append({"usual": "BRISQUE (package brisque)", **_against(task, shipped, notes)})
    _strip(contest, task, record.labels, shipped, out / f"{contest.title}.png")
    return {
        "task": contest.title,
        "said": contest.said,
        "pictures": len(test),
        "first": task.MEASURES[0],
        "keras": {name: vars(one) for name, one in keras.measures.items()},
        "shipped": {name: vars(one) for name, one in shipped.measures.items()},
        "variant": engine.variant,
        "bytes": len(open_bundle(bundle).read(f"{engine.variant}.tflite")),
        "million_multiply_adds": record.multiply_adds / 1e6,
        "parameters": record.parameters,
        "usual": name,
        **_against(task, shipped, theirs),
        "others": others,
        "train_seconds": seconds,
        "flags": flags,
    }


def _against(task: PictureTask, shipped: PictureVerdict, theirs: list[Any]) -> dict[str, Any]:
    """What the other one comes to, and how much more ships, over the same draws of pictures."""
    gains = {}
    for name in task.MEASURES:

        def value(notes: Any, chosen: Any, name: str = name) -> float:
            return task.summary([notes[i] for i in chosen])[name]

        gains[name] = vars(
            gain(
                lambda chosen: value(shipped.notes, chosen),
                lambda chosen: value(theirs, chosen),
                len(theirs),
            )
        )
    beside = {name: vars(one) for name, one in measured(task, theirs).items()}
    return {"theirs": beside, "gain": gains}


def _usual(
    task: Any, contest: Contest, settings: Any, loaded: Any, test: Any, bundle: Bundle
) -> tuple[str, list[Any]]:
    if contest.task == "detect":
        truths, classes = loaded.splits["test"].truths, len(loaded.labels)
        notes = baselines.sliding_window(loaded.splits["train"], test, classes, truths)
        return (
            "a convolutional classifier at every place and five sizes",
            notes,
        )
    if contest.task == "compress":
        encode = Encoder(bundle)
        made = [
            baselines.jpeg(each.frame, len(encode(cv2.cvtColor(each.frame, cv2.COLOR_RGB2BGR))))
            for each in test
        ]
        said = "JPEG of at least as many bytes, its 600 bytes of tables not counted"
        return said, task.notes(settings, made, [each.target for each in test])
    val = list(fixed_examples(task, settings, loaded.splits["val"], "val"))
    if contest.task == "segment":
        methods = baselines.segment(loaded.splits["train"], len(loaded.labels))(settings)
    else:
        methods = getattr(baselines, contest.task)(settings)
    return baselines.best(task, settings, val, test, methods)


def _strip(contest: Contest, task: Any, labels: Any, verdict: Any, path: Path) -> None:
    """Six test pictures spread evenly: read, answered by what ships, true."""
    tell = teller_of(task.ANSWER)
    columns = []
    for index in np.linspace(0, verdict.count - 1, 6).astype(int):
        example = verdict.examples[index]
        frame = cv2.cvtColor(example.frame, cv2.COLOR_RGB2BGR)
        shown = [frame, tell({OUTPUT_OF[task.ANSWER]: verdict.answers[index]}, labels).view(frame)]
        if contest.task not in ("retrieve", "quality"):
            true = as_answer(example.target, len(labels))
            shown.append(tell({OUTPUT_OF[task.ANSWER]: true}, labels).view(frame))
        size = (144, 144)
        columns.append(
            np.vstack([cv2.resize(s, size, interpolation=cv2.INTER_NEAREST) for s in shown])
        )
    cv2.imwrite(str(path), np.hstack(columns))


if __name__ == "__main__":
    main()
