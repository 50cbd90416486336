"""Judges a run on the best split that its data has, the baseline beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.train.data.store import Data
from edgecrnn.train.evaluation.choice import Chosen, TrainedOn, choose_clips
from edgecrnn.train.evaluation.multilabel import evaluate_task
from edgecrnn.train.evaluation.result import Evaluation
from edgecrnn.train.explain.explanation import open_explainer
from edgecrnn.train.explain.for_report import explanations_for_report
from edgecrnn.train.explain.kept import keep, kept
from edgecrnn.train.predictors import baseline_predictor, keras_predictor
from edgecrnn.train.report.build import write_report
from edgecrnn.train.report.content import VariantRow
from edgecrnn.train.report.from_run import report_of_run
from edgecrnn.train.run_folder import REPORT, RunRecord


@dataclass(frozen=True)
class Judged:
    """What was judged, and what came of it."""

    chosen: Chosen
    evaluation: Evaluation


def judge_run(run: Path, record: RunRecord, data: Data) -> Judged:
    """Evaluate the run's Keras model on the data it was trained with (test, or else val)."""
    trained = TrainedOn(record.data.hash, record.data.made_split, record.data.split_seed)
    chosen = choose_clips(data, None, trained)
    evaluation, clips = evaluate_task(
        record.task,
        keras_predictor(run, record),
        chosen.clips,
        record.labels,
        record.kind,
        record.warmup,
        record.decision,
        baseline=baseline_predictor(run, record),
    )
    if chosen.unseen:
        evaluation = dataclasses.replace(evaluation, promise=record.validation)
    return Judged(dataclasses.replace(chosen, clips=clips), evaluation)


def explain_run(run: Path, judged: Judged) -> None:
    """Explain some of what was judged, for the run's reports; takes seconds."""
    chosen = judged.chosen
    made = explanations_for_report(open_explainer(run), chosen.clips, judged.evaluation)
    keep(run, chosen.said, made)


def report_run(
    run: Path,
    record: RunRecord,
    judged: Judged,
    rows: Sequence[VariantRow] = (),
    certificate: Mapping[str, Any] | None = None,
    diagrams: Mapping[str, str] | None = None,
) -> None:
    """Write the run's report; what `explain_run` found is shown with it.

    Args:
        run: the run's folder.
        record: its record.
        judged: what its model does.
        rows: what conversion made, () before it.
        certificate: the bundle's `certificate.json`, parsed; None before conversion.
        diagrams: SVGs of converted graphs, by their headings.
    """
    chosen = judged.chosen
    report = report_of_run(
        record, judged.evaluation, chosen.clips, chosen.said, rows, certificate, diagrams
    )
    write_report(run / REPORT, dataclasses.replace(report, explained=kept(run, chosen.said)))
