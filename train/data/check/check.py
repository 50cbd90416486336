"""The whole check of a data folder."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecrnn.train.data.build import usual_rate
from edgecrnn.train.data.check.classes import class_counts, class_findings
from edgecrnn.train.data.check.files import file_findings, frames_resampled
from edgecrnn.train.data.check.finding import SEVERITIES, Finding
from edgecrnn.train.data.check.folder import read_folder
from edgecrnn.train.data.check.near_duplicates import near_duplicates
from edgecrnn.train.data.check.reading import Progress, Reading, read_all
from edgecrnn.train.data.check.twins import twin_findings
from edgecrnn.train.data.check.unread import unread_findings
from edgecrnn.train.data.layout import Layout
from edgecrnn.train.data.store import DataSettings

# Of what is equally severe, what a person should see first.
_ORDER = (
    "refused", "shared", "leak", "labels", "broken", "unread", "short", "missing", "alike",
    "recordings", "blank", "slow", "tiny", "unequal", "sizes", "coarse", "frozen", "repeats",
    "rates", "made-split",
)  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """A data folder and what was found in it, the most important first."""

    layout: Layout
    readings: tuple[Reading, ...]  # one for each item of the layout
    findings: tuple[Finding, ...]
    counts: Mapping[str, Mapping[str, int]]  # files by split and class
    frame_rate: float | None  # frames a second that clips are resampled to
    limit: float  # difference up to which two files count as the same
    seconds: float  # that it took

    @property
    def serious(self) -> bool:
        """Whether anything serious was found."""
        return any(finding.severity == "serious" for finding in self.findings)

    @property
    def severities(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        counts = Counter(finding.severity for finding in self.findings)
        return {severity: counts[severity] for severity in SEVERITIES}


def check_folder(root: Path, settings: DataSettings, progress: Progress | None = None) -> Checked:
    """Read every file below `root` and say what would spoil training or its score.

    Args:
        root: a data folder as `train` takes it, or one that it refuses.
        settings: those that training would be given.
        progress: called with (files read, files in all).

    Raises:
        EdgecrnnError: there is nothing to be read.
    """
    start = time.monotonic()
    layout, refused = read_folder(root, settings.seed)
    readings = read_all(layout.items, layout.kind, progress)
    rate = settings.frame_rate
    if layout.kind == "pictures":
        rate = None
    elif rate is None:
        rate = usual_rate(reading.rate for reading in readings)
    near = near_duplicates(readings)
    findings = [
        *refused,
        *twin_findings(layout, readings, near),
        *file_findings(layout, readings, rate, settings),
        *unread_findings(layout),
        *class_findings(layout, readings),
    ]
    findings.sort(key=lambda f: (SEVERITIES.index(f.severity), _ORDER.index(f.kind)))
    return Checked(
        layout,
        readings,
        tuple(findings),
        class_counts(layout, readings),
        rate,
        near.limit,
        time.monotonic() - start,
    )


def as_json(checked: Checked) -> dict[str, Any]:
    """Everything found, for machines: every finding with all its files, and every file."""
    layout = checked.layout
    return {
        "format": 1,
        "folder": str(layout.root),
        "kind": layout.kind,
        "task": layout.task,
        "classes": list(layout.labels),
        "made_split": layout.made_split,
        "counts": {split: dict(counts) for split, counts in checked.counts.items()},
        "frame_rate": checked.frame_rate,
        "near_duplicate_limit": checked.limit,
        "serious": checked.serious,
        "seconds": round(checked.seconds, 3),
        "findings": [
            {
                "kind": finding.kind,
                "severity": finding.severity,
                "title": finding.title,
                "remedy": finding.remedy,
                "entries": [{"files": list(e.files), "said": e.said} for e in finding.entries],
            }
            for finding in checked.findings
        ],
        "files": [
            {
                "name": layout.name(reading.item),
                "split": reading.item.split,
                "class": layout.said(reading.item.label),
                "error": reading.error or None,
                "width": reading.width,
                "height": reading.height,
                "frames": len(reading.times),
                "frames_resampled": frames_resampled(reading, checked.frame_rate),
                "frame_rate": reading.rate,
                "blank": round(reading.blank, 4),
            }
            for reading in checked.readings
        ],
    }
