"""A run as the subject of a conversion."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.certificate import Reference
from edgecrnn.convert.graph import check_weights
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.subject import Subject
from edgecrnn.train.data.store import Data, FrameStore
from edgecrnn.train.evaluation.streams import (
    counted_frames,
    joined,
    stream_order,
    stream_scores,
)
from edgecrnn.train.predictors import network_predictor
from edgecrnn.train.run_folder import MODEL, RunRecord, load_model

# Frames that follow each other say little that is new; every third covers more clips.
_EVERY = 3


def run_subject(run: Path, record: RunRecord, data: Data, settings: ConvertSettings) -> Subject:
    """The run's network. It is calibrated on training streams and certified on validation ones.

    Args:
        run: the run's folder.
        record: its record.
        data: the data it was trained on, as `load` gives it.
        settings: how many frames.
    """
    thinned = _EVERY if record.sequence == "time" else 1
    train = data.splits["train"]
    order = _at_most(
        train, stream_order(train, settings.seed), settings.calibration_frames * thinned
    )
    calibration, _ = joined(train, order)
    return Subject(
        name=record.name,
        model=run / MODEL,
        labels=record.labels,
        task=record.task,
        sequence=record.sequence,
        preprocessing=record.preprocessing,
        frame_rate=record.frame_rate,
        decision=record.decision,
        warmup=record.warmup,
        calibration=calibration,
        calibration_every=thinned,
        reference=lambda: _reference(run, record, data, settings),
        data={
            "hash": record.data.hash,
            "made_split": record.data.made_split,
            "split_seed": record.data.split_seed,
            "split": "val",
            "validation": None
            if record.validation is None
            else dataclasses.asdict(record.validation),
        },
    )


def _reference(run: Path, record: RunRecord, data: Data, settings: ConvertSettings) -> Reference:
    """The Keras model along the validation stream, or over the validation pictures.

    Where the split holds fewer frames than asked for, the stream goes on with the same clips in
    another order: what drifts shows on long streams only.
    """
    from edgecrnn.train.network.network import network_of

    store = data.splits["val"]
    order = _passes(store, settings) if record.sequence == "time" else stream_order(store, 0)
    order = _at_most(store, order, settings.check)
    frames, labels = joined(store, order)
    model = load_model(run)
    check_weights(model, str(run / MODEL))
    predictor = network_predictor(network_of(model, record.network), record.labels)
    scores, _ = stream_scores(predictor, store, order)
    counted = counted_frames(labels, record.warmup)
    if record.task != "multilabel":
        return Reference(frames, labels, counted, scores)
    true = np.repeat(store.targets[order] > 0.5, np.diff(store.starts)[order], axis=0)
    return Reference(frames, true, counted, scores, record.decision.thresholds)


def _passes(store: FrameStore, settings: ConvertSettings) -> npt.NDArray[np.int64]:
    """Orders of all clips, one after the other, that hold `check` frames together."""
    passes = -(-settings.check // int(store.starts[-1]))
    return np.concatenate([stream_order(store, settings.seed + i) for i in range(passes)])


def _at_most(store: FrameStore, order: npt.NDArray[np.int64], frames: int) -> npt.NDArray[np.int64]:
    """The first clips of the order that hold `frames` frames together; at least one."""
    lengths = np.diff(store.starts)[order]
    count = int(np.searchsorted(np.cumsum(lengths), frames)) + 1
    return order[:count]
