"""Explanations beside the run: made once for a model, shown by every report after."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from edgecrnn.runtime.files import write_file
from edgecrnn.train.explain.check import MaskingCheck
from edgecrnn.train.explain.for_report import ReportExplanations, ReportPicture
from edgecrnn.train.run_folder import MODEL

KEPT = "explained.json"


def keep(run: Path, judged_on: str, explained: ReportExplanations) -> None:
    """Write them beside the run's model, for every report of this model from now on.

    Args:
        run: the run's folder.
        judged_on: which clips are explained, for example "the test split".
        explained: what to keep.
    """
    pictures = [
        {**asdict(each), "webp": base64.b64encode(each.webp).decode("ascii")}
        for each in explained.pictures
    ]
    told = {**_made_for(run, judged_on), "check": asdict(explained.check), "pictures": pictures}
    write_file(run / KEPT, json.dumps(told).encode())


def kept(run: Path, judged_on: str) -> ReportExplanations | None:
    """What was kept for this very model and these clips; None where nothing was, or is damaged."""
    try:
        told = json.loads((run / KEPT).read_bytes())
        if any(told[name] != value for name, value in _made_for(run, judged_on).items()):
            return None
        check = MaskingCheck(**{**told["check"], "difference": tuple(told["check"]["difference"])})
        pictures = [
            ReportPicture(**{**each, "webp": base64.b64decode(each["webp"])})
            for each in told["pictures"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        # They can be made again.
        return None
    return ReportExplanations(check, tuple(pictures))


def _made_for(run: Path, judged_on: str) -> dict[str, str]:
    model = hashlib.sha256((run / MODEL).read_bytes()).hexdigest()
    return {"model": model, "judged_on": judged_on}
