"""The report of a run, from its record and an evaluation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from edgecrnn.train.evaluation.result import Evaluation
from edgecrnn.train.evaluation.streams import Clips
from edgecrnn.train.report.content import ReportInput, VariantRow
from edgecrnn.train.report.examples import choose_examples
from edgecrnn.train.run_folder import RunRecord


def report_of_run(
    record: RunRecord,
    evaluation: Evaluation,
    clips: Clips,
    judged_on: str,
    variants: Sequence[VariantRow] = (),
    certificate: Mapping[str, Any] | None = None,
    diagrams: Mapping[str, str] | None = None,
) -> ReportInput:
    """Everything that the page of `record` shows.

    Args:
        record: the run.
        evaluation: of the run's model over `clips`.
        clips: what was judged; the examples are taken from it.
        judged_on: which clips those are, for example "the test split".
        variants: what conversion made, the float model first; () before it.
        certificate: the bundle's `certificate.json`, parsed; None before conversion.
        diagrams: SVGs of converted graphs, by their headings.
    """
    return ReportInput(
        name=record.name,
        created=record.created,
        made_by=record.made_by,
        sequence=record.sequence,
        frame_rate=record.frame_rate,
        parameters=record.parameters,
        evaluation=evaluation,
        judged_on=judged_on,
        examples=choose_examples(evaluation, clips),
        history=record.history,
        baseline_history=record.baseline_history,
        best_epoch=record.best_epoch,
        variants=tuple(variants),
        certificate=certificate,
        diagrams=dict(diagrams or {}),
        counts=record.data.counts,
        settings={
            "Frames": {
                **dataclasses.asdict(record.preprocessing),
                "frame_rate": record.frame_rate,
            },
            "Network": dataclasses.asdict(record.network),
            "Training": dataclasses.asdict(record.train),
            "Augmentation": dict(record.augmentation),
            "Decision": dataclasses.asdict(record.decision),
            "Data": {
                "root": record.data.root,
                "hash": record.data.hash,
                "made_split": record.data.made_split,
                "split_seed": record.data.split_seed,
            },
        },
        skipped=record.data.skipped,
        multiply_adds=record.multiply_adds,
    )
