"""`edgecrnn evaluate RUN|BUNDLE DATA` for picture tasks."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import write_file
from edgecrnn.runtime.preprocess import Preprocessing


@dataclass(frozen=True)
class _Subject:
    """What is judged: a run's model or a bundle's variant."""

    what: str
    task: str
    options: Mapping[str, Any]
    labels: tuple[str, ...]
    preprocessing: Preprocessing  # of the pictures, not of what may be smaller frames
    seed: int  # of the split that training made
    hash: str  # of the data trained on
    answer: Any


def is_picture_subject(path: Path) -> bool:
    """Whether it is the run or the bundle of a picture task."""
    from edgecrnn.runtime.answers import LABELS
    from edgecrnn.runtime.bundle import is_bundle, open_bundle
    from edgecrnn.train.pictures.record import is_picture_run

    if is_picture_run(path):
        return True
    return path.exists() and is_bundle(path) and open_bundle(path).manifest.answer != LABELS


def evaluate_pictures(args: argparse.Namespace) -> int:
    """Judge, print, and write the JSON."""
    from edgecrnn.cli.results import measures_text
    from edgecrnn.train.pictures.found import find_pictures
    from edgecrnn.train.pictures.judge import chosen_split, judge
    from edgecrnn.train.pictures.load import load_pictures
    from edgecrnn.train.tasks import picture_task

    subject = _open(args.model, args.variant)
    task = picture_task(subject.task)
    # Vectors are for classes that training has not seen.
    known = () if task.ANSWER == "embedding" else subject.labels
    layout = find_pictures(args.data, task.NEEDS, subject.seed, known)
    data = load_pictures(layout, subject.preprocessing)
    split, pictures = chosen_split(data, args.split, subject.hash)
    settings = task.Settings(**subject.options)
    verdict = judge(task, settings, pictures, split, subject.answer)
    print(f"{args.model} ({subject.what}), {subject.task}")
    said = "all of it: it has no splits and is not the data trained on"
    print(f"on {args.data}: {said if split == 'all' else f'the {split} split'}\n")
    print(measures_text(verdict.measures, verdict.count))
    if layout.hash == subject.hash and split != "test":
        print("Note: training has used this split; expect less of pictures that it has not.")
    if data.skipped:
        one = data.skipped[0]
        print(
            f"\nSkipped {len(data.skipped)} of the folder's files, for example {one.path}: "
            f"{one.reason}"
        )
    if args.json is not None:
        facts = {
            "model": str(args.model),
            "what": subject.what,
            "task": subject.task,
            "options": dict(subject.options),
            "data": str(args.data),
            "data_hash": layout.hash,
            "split": split,
            "pictures": verdict.count,
            "measures": {name: dataclasses.asdict(m) for name, m in verdict.measures.items()},
            "skipped": [{"path": str(item.path), "reason": item.reason} for item in data.skipped],
        }
        write_file(args.json, (json.dumps(facts, indent=1) + "\n").encode("ascii"))
        print(f"\nWrote {args.json}")
    return 0


def _open(path: Path, variant: str | None) -> _Subject:
    from edgecrnn.train.pictures.record import (
        is_picture_run,
        load_picture_model,
        read_picture_record,
    )

    if is_picture_run(path):
        if variant is not None:
            raise EdgecrnnError(
                f"{path}: expected a bundle for --variant {variant}, got a run, which has only "
                "its float model; leave --variant out"
            )
        from edgecrnn.train.pictures.judge import keras_answer
        from edgecrnn.train.tasks import picture_task

        record = read_picture_record(path)
        return _Subject(
            "run, Keras float32", record.task, record.options, record.labels,
            record.preprocessing, record.data.split_seed, record.data.hash,
            keras_answer(picture_task(record.task), load_picture_model(path)),
        )  # fmt: skip
    return _open_bundle(path, variant)


def _open_bundle(path: Path, variant: str | None) -> _Subject:
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.engine import load_engine
    from edgecrnn.runtime.manifest import CERTIFICATE
    from edgecrnn.runtime.settings import from_mapping
    from edgecrnn.train.pictures.judge import engine_answer
    from edgecrnn.train.tasks import picture_task

    bundle = open_bundle(path)
    engine = load_engine(bundle, variant)
    try:
        said = json.loads(bundle.read(CERTIFICATE))
        pictures = from_mapping(Preprocessing, said["preprocessing"], CERTIFICATE)
        options, data = said["options"], said["data"]
        from_mapping(picture_task(bundle.manifest.task).Settings, options, "options")
        seed, digest = int(data["split_seed"]), str(data["hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise EdgecrnnError(
            f"{path}: expected a certificate that says how the task was trained, got {error!r}; "
            "convert the run again"
        ) from error
    return _Subject(
        f"bundle, {engine.variant}", bundle.manifest.task, options, bundle.manifest.labels,
        pictures, seed, digest, engine_answer(picture_task(bundle.manifest.task), engine),
    )  # fmt: skip
