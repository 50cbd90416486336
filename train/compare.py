"""Judges several runs on the data that they share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.choice import choose_clips
from edgecrnn.train.evaluation.comparison import Contender, PerClip
from edgecrnn.train.evaluation.comparison_text import short_names
from edgecrnn.train.evaluation.deciding import replay
from edgecrnn.train.evaluation.multilabel import evaluate_task
from edgecrnn.train.evaluation.result import Evaluation
from edgecrnn.train.evaluation.streams import Clips, clip_starts
from edgecrnn.train.run_folder import RunRecord, read_record
from edgecrnn.train.subject import load_for, open_subject


def judge_runs(
    runs: Sequence[Path],
    data: Path | None = None,
    cache: str = "",
    say: Callable[[str], None] = lambda sentence: None,
) -> tuple[Contender, ...]:
    """Each run's Keras model on the test clips of `data`, or of the folder it was trained on.

    Args:
        runs: folders; at least two, of the same labels.
        data: the data folder; None for the one that the first run's record names.
        cache: folder for decoded frames.
        say: told which run is judged.

    Raises:
        EdgecrnnError: fewer than two, the same twice, other labels or another task, no data.
    """
    records = [read_record(run) for run in runs]
    _check(runs, records)
    root = data if data is not None else Path(records[0].data.root)
    return tuple(
        _judged(run, record, name, root, cache, say)
        for run, record, name in zip(runs, records, short_names(runs), strict=True)
    )


def _check(runs: Sequence[Path], records: Sequence[RunRecord]) -> None:
    if len(runs) < 2:
        raise EdgecrnnError(f"runs: expected at least two to compare, got {len(runs)}")
    if len({run.resolve() for run in runs}) < len(runs):
        raise EdgecrnnError("runs: expected different runs, got the same one twice")
    first = records[0]
    for run, record in zip(runs[1:], records[1:], strict=True):
        for what in ("task", "labels", "kind"):
            wanted, found = getattr(first, what), getattr(record, what)
            if wanted != found:
                raise EdgecrnnError(
                    f"{run}: expected the same {what} as in {runs[0]} ({_said(wanted)}), got "
                    f"{_said(found)}; compare runs that answer the same question"
                )


def _judged(
    run: Path, record: RunRecord, name: str, root: Path, cache: str, say: Callable[[str], None]
) -> Contender:
    say(f"judging {run}")
    subject = open_subject(run)
    chosen = choose_clips(load_for(subject, root, cache), None, subject.trained)
    evaluation, clips = evaluate_task(
        record.task, subject.predictor, chosen.clips, record.labels, record.kind, record.warmup,
        record.decision,
    )  # fmt: skip
    return Contender(
        name=name,
        settings=settings_of(record),
        evaluation=evaluation,
        judged_on=chosen.said,
        clips=tuple(chosen.clips.names),
        right=evaluation.detail.predicted == clips.labels,
        stream=_along_the_stream(evaluation, clips),
        parameters=record.parameters,
        multiply_adds=record.multiply_adds or _counted(record),
        history=record.history,
    )


def _along_the_stream(evaluation: Evaluation, clips: Clips) -> PerClip | None:
    """Frames of each clip that are decided rightly, in the order of `clips`."""
    trace, rule = evaluation.detail.trace, evaluation.decision
    if trace is None:
        return None
    said = trace.scores.argmax(axis=1)
    if rule is not None:
        said = replay(trace.scores, rule).said(rule.threshold)
    starts = clip_starts(clips, trace.order)
    right = metrics.per_clip(trace.counted & (said == trace.truth), starts)
    counted = metrics.per_clip(trace.counted, starts)
    back = np.argsort(trace.order)
    return PerClip(right[back], counted[back])


def _counted(record: RunRecord) -> int:
    """The multiply-adds of a run from before they were written down."""
    from edgecrnn.train.network.cost import multiply_adds
    from edgecrnn.train.network.network import build_network

    shape = record.preprocessing.frame_shape
    return multiply_adds(build_network(record.network, shape, len(record.labels)))


def settings_of(record: RunRecord) -> dict[str, Any]:
    """Every choice of a run, by "group.name"."""
    groups: dict[str, Mapping[str, Any]] = {
        "frames": {
            **dataclasses.asdict(record.preprocessing),
            "frame_rate": record.frame_rate,
        },
        "network": dataclasses.asdict(record.network),
        "train": dataclasses.asdict(record.train),
        "augmentation": record.augmentation,
        "data": {"hash": record.data.hash[:12]},
    }
    return {f"{group}.{name}": v for group, values in groups.items() for name, v in values.items()}


def _said(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
