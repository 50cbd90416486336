"""The model that is judged: a run's network or a bundle's interpreter, and what it needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.runtime.answers import LABELS
from edgecrnn.runtime.bundle import Bundle, is_bundle, open_bundle
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.manifest import CERTIFICATE
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.store import Data, DataSettings, Progress, load
from edgecrnn.train.evaluation.choice import TrainedOn
from edgecrnn.train.evaluation.predictor import Predictor
from edgecrnn.train.evaluation.promise import Promise, read_promise
from edgecrnn.train.predictors import baseline_predictor, bundle_predictor, keras_predictor
from edgecrnn.train.run_folder import RECORD, read_record


@dataclass(frozen=True)
class Subject:
    """A model and everything that its data must be prepared with."""

    what: str  # "run, Keras float32" or "bundle, int8-mixed"
    predictor: Predictor
    baseline: Predictor | None
    sequence: str
    preprocessing: Preprocessing
    frame_rate: float | None
    warmup: int
    task: str
    decision: DecisionSettings
    trained: TrainedOn | None
    promise: Promise | None = None  # what the rule did where it was chosen

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's classes."""
        return self.predictor.labels

    @property
    def kind(self) -> str:
        """What it reads: pictures or clips."""
        return "clips" if self.sequence == "time" else "pictures"


def open_subject(path: Path, variant: str | None = None) -> Subject:
    """Open a run or a bundle.

    Args:
        path: a run's folder, a bundle's file, or the folder that a bundle unpacks to.
        variant: of a bundle; without it the preferred one.

    Raises:
        EdgecrnnError: it is neither, is damaged, or has no such variant.
    """
    if (path / RECORD).is_file():
        if variant is not None:
            raise EdgecrnnError(
                f"{path}: expected a bundle for --variant {variant}, got a run, which has only "
                "its float model; leave --variant out"
            )
        return _open_run(path)
    if path.exists() and is_bundle(path):
        return _open_bundle(open_bundle(path), variant)
    got = "nothing there" if not path.exists() else "a folder" if path.is_dir() else "a file"
    raise EdgecrnnError(
        f"{path}: expected a run (a folder with {RECORD}) or a bundle, got {got}"
        f"{' that is neither' if path.exists() else ''}; "
        "make one with edgecrnn train or edgecrnn convert"
    )


def load_for(subject: Subject, root: Path, cache: str, progress: Progress | None = None) -> Data:
    """The data folder `root` as the model reads it, its classes numbered by the model's labels.

    Raises:
        EdgecrnnError: the folder cannot be used, holds a class that the model does not know, or
            pictures where the model reads clips (or the other way round).
    """
    trained = subject.trained
    settings = DataSettings(
        frame_rate=subject.frame_rate,
        # One frame beyond the warm-up can be judged.
        shortest=subject.warmup + 1,
        seed=trained.seed if trained else 0,
        cache=cache,
    )
    accepted = (trained.part_of or trained.hash) if trained else ""
    data = load(root, subject.preprocessing, settings, subject.labels, progress, accepted=accepted)
    if data.kind != subject.kind:
        raise EdgecrnnError(
            f"{root}: expected {subject.kind}, which the model reads (sequence "
            f"{subject.sequence}), got {data.kind}; give other data or another model"
        )
    if data.task != subject.task:
        form = "labels.csv beside the files" if subject.task == "multilabel" else "class folders"
        raise EdgecrnnError(
            f"{root}: expected {form}, which the model's task ({subject.task}) is judged by, got "
            f"data for {data.task}; give other data or another model"
        )
    split_lost = trained and trained.made_split and not data.made_split
    if trained and split_lost and data.hash == accepted:
        # Only train was given: training made the rest of the split, so load as it did.
        data = load(root, subject.preprocessing, settings, None, progress, accepted=accepted)
    return data


def _open_run(path: Path) -> Subject:
    record = read_record(path)
    return Subject(
        what="run, Keras float32",
        predictor=keras_predictor(path, record),
        baseline=baseline_predictor(path, record),
        sequence=record.sequence,
        preprocessing=record.preprocessing,
        frame_rate=record.frame_rate,
        warmup=record.warmup,
        task=record.task,
        decision=record.decision,
        trained=TrainedOn(
            record.data.hash, record.data.made_split, record.data.split_seed, record.data.part_of
        ),
        promise=record.validation,
    )


def _open_bundle(bundle: Bundle, variant: str | None) -> Subject:
    manifest = bundle.manifest
    if manifest.answer != LABELS:
        raise EdgecrnnError(
            f"{bundle.path}: expected a bundle that decides on labels, got one for {manifest.task}"
        )
    return Subject(
        what=f"bundle, {bundle.variant(variant).name}",
        predictor=bundle_predictor(bundle, variant),
        baseline=None,
        sequence=manifest.sequence,
        preprocessing=manifest.preprocessing,
        frame_rate=manifest.frame_rate,
        warmup=manifest.decision.warmup if manifest.sequence == "time" else 0,
        task=manifest.task,
        decision=manifest.decision,
        trained=_trained_on(bundle),
        promise=_promise(bundle),
    )


def _trained_on(bundle: Bundle) -> TrainedOn | None:
    """From the certificate's `data`: hash, made_split, split_seed; None where it says nothing."""
    if CERTIFICATE not in bundle.files:
        return None
    try:
        said: Any = json.loads(bundle.read(CERTIFICATE))["data"]
        return TrainedOn(str(said["hash"]), bool(said["made_split"]), int(said["split_seed"]))
    except (ValueError, KeyError, TypeError):
        return None


def _promise(bundle: Bundle) -> Promise | None:
    """From the certificate's `data`: `validation`; None where it says nothing."""
    if CERTIFICATE not in bundle.files:
        return None
    try:
        said: Any = json.loads(bundle.read(CERTIFICATE))["data"]["validation"]
        return None if said is None else read_promise(said, "validation")
    except (ValueError, KeyError, TypeError, EdgecrnnError):
        return None
