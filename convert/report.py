"""After a conversion: the variants judged, and put into a page with certificate and diagrams."""

from __future__ import annotations

import json
from pathlib import Path

from edgecrnn.convert.conversion import Converted
from edgecrnn.convert.diagram import bundle_diagrams
from edgecrnn.convert.judge import judge_variants
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.manifest import CERTIFICATE
from edgecrnn.train.data.store import Data
from edgecrnn.train.judge import Judged, explain_run, judge_run, report_run
from edgecrnn.train.report.certificate import write_certificate_page
from edgecrnn.train.report.content import VariantRow
from edgecrnn.train.run_folder import RunRecord


def report_conversion(
    run: Path,
    record: RunRecord,
    data: Data,
    out: Path,
    converted: Converted,
    explain: bool = False,
) -> tuple[Judged, tuple[VariantRow, ...]]:
    """Judge the bundle's variants as the run was judged, and write the run's report anew.

    Args:
        run: the run's folder.
        record: its record.
        data: the data it was trained on.
        out: the bundle.
        converted: what came of the conversion.
        explain: also show what the network looked at, where the run has not been explained yet.
    """
    bundle = open_bundle(out)
    judged = judge_run(run, record, data)
    rows = judge_variants(run, record, judged, bundle, converted)
    certificate = json.loads(bundle.read(CERTIFICATE))
    if explain:
        explain_run(run, judged)
    report_run(run, record, judged, rows, certificate, bundle_diagrams(bundle, certificate))
    return judged, rows


def write_page(out: Path, page: Path, title: str) -> None:
    """The certificate of the bundle `out` as a page of its own, for models without a run."""
    bundle = open_bundle(out)
    certificate = json.loads(bundle.read(CERTIFICATE))
    write_certificate_page(page, certificate, bundle_diagrams(bundle, certificate), title)
