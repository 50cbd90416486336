"""What is written down of a training: from what was fitted to the run's record."""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import edgecrnn
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.data.store import Data, class_counts
from edgecrnn.train.decision_choice import choose_decision
from edgecrnn.train.evaluation.multilabel import best_thresholds
from edgecrnn.train.evaluation.promise import Promise
from edgecrnn.train.fit import Fitted
from edgecrnn.train.plan import Plan, warmup_of
from edgecrnn.train.run_folder import FORMAT, DataRecord, RunRecord


@dataclass(frozen=True)
class Parts:
    """What was fitted, by the part's name; the baseline is None where none was."""

    network: Any
    baseline: Any
    fitted: dict[str, Fitted]

    @property
    def interrupted(self) -> bool:
        """Whether one of them was stopped before its end."""
        return any(one.interrupted for one in self.fitted.values())

    def lines(self, part: str) -> tuple[dict[str, float], ...]:
        """The history of a part; () where there was none."""
        return (
            tuple(vars(line) for line in self.fitted[part].history) if part in self.fitted else ()
        )


def record_of(
    root: Path,
    out: Path,
    data: Data,
    plan: Plan,
    parts: Parts,
) -> RunRecord:
    """The record of a run; the decision's rule is chosen on the validation stream."""
    from edgecrnn.train.evaluation.streams import (
        clip_starts,
        counted_frames,
        stream_order,
        stream_scores,
    )
    from edgecrnn.train.network.cost import multiply_adds
    from edgecrnn.train.predictors import network_predictor

    val, network = data.splits["val"], parts.network
    warmup = warmup_of(plan)
    predictor, order = network_predictor(network, data.labels), stream_order(val, plan.train.seed)
    scores, labels = stream_scores(predictor, val, order)
    counted = counted_frames(labels, warmup)
    promise: Promise | None = None
    if data.task == "multilabel":
        truth = np.repeat(val.targets[order] > 0.5, np.diff(val.starts)[order], axis=0)
        thresholds = best_thresholds(truth[counted], scores[counted])
        decision = DecisionSettings(warmup=warmup, thresholds=thresholds)
    else:
        starts, streamed = clip_starts(val, order), network.settings.sequence == "time"
        choice = choose_decision(scores, labels, counted, starts, warmup, streamed)
        decision, promise = choice.settings, choice.promise
    counts = {split: class_counts(store, data.labels) for split, store in data.splits.items()}
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
            part_of=data.part_of,
        ),
        decision=decision,
        parameters=sum(int(np.prod(weight.shape)) for weight in network.trainable_weights),
        best_epoch=parts.fitted["network"].best_epoch,
        history=parts.lines("network"),
        baseline_history=parts.lines("baseline"),
        quantized_history=parts.lines("int8"),
        multiply_adds=multiply_adds(network),
        validation=promise,
        interrupted=parts.interrupted,
    )
