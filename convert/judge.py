"""Judges a bundle's variants on the split that the run itself was judged on, for the report."""

from __future__ import annotations

from pathlib import Path

from edgecrnn.convert.conversion import Converted
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.train.evaluation.multilabel import evaluate_task
from edgecrnn.train.evaluation.result import Evaluation
from edgecrnn.train.judge import Judged
from edgecrnn.train.predictors import bundle_predictor
from edgecrnn.train.report.content import VariantRow
from edgecrnn.train.run_folder import MODEL, RunRecord


def judge_variants(
    run: Path, record: RunRecord, judged: Judged, bundle: Bundle, converted: Converted
) -> tuple[VariantRow, ...]:
    """A row for the float model, then one for each shipped variant in the order of preference."""
    keras = _row("Keras float32", (run / MODEL).stat().st_size, judged.evaluation)
    found = {finding.variant: finding for finding in converted.findings}
    rows = [keras]
    for name in converted.shipped:
        evaluation, _ = evaluate_task(
            record.task,
            bundle_predictor(bundle, name),
            judged.chosen.clips,
            record.labels,
            record.kind,
            record.warmup,
            record.decision,
        )
        finding = found[name]
        rows.append(_row(name, finding.bytes, evaluation, finding.agreement, finding.milliseconds))
    return tuple(rows)


def _row(
    name: str,
    size: int,
    evaluation: Evaluation,
    agreement: float | None = None,
    milliseconds: float | None = None,
) -> VariantRow:
    return VariantRow(
        name=name,
        size=size,
        clip_accuracy=evaluation.clip.accuracy,
        stream_accuracy=evaluation.stream.accuracy if evaluation.stream else None,
        agreement=agreement,
        milliseconds=milliseconds,
        note="" if milliseconds is None else "where it was converted",
    )
