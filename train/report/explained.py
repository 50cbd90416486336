"""The part of a report that shows what the network looked at."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from edgecrnn.train.evaluation.text import percent
from edgecrnn.train.explain.check import MaskingCheck
from edgecrnn.train.explain.for_report import ReportExplanations


@dataclass(frozen=True)
class ShownPicture:
    """One explained clip or picture."""

    name: str
    right: bool
    decided: str
    truth: str
    image: str  # data: address


@dataclass(frozen=True)
class ExplainedSection:
    """What the check says, then the pictures."""

    said: str
    pictures: tuple[ShownPicture, ...]


def explained_section(explained: ReportExplanations) -> ExplainedSection:
    """The section, as the template reads it."""
    shown = (
        ShownPicture(
            each.name,
            each.right,
            each.decided if each.score is None else f"{each.decided} {percent(each.score)}",
            each.truth,
            "data:image/webp;base64," + base64.b64encode(each.webp).decode("ascii"),
        )
        for each in explained.pictures
    )
    return ExplainedSection(check_said(explained.check), tuple(shown))


def check_said(check: MaskingCheck) -> str:
    """Whether the heat can be believed, in two sentences."""
    low, high = check.difference
    over = f"all {check.of}" if check.clips == check.of else f"{check.clips} of {check.of}"
    figures = (
        f"Hiding the hottest {100 * check.share:.0f} % of each frame costs the decided class "
        f"{check.drop_heat:.2f} of its score of {check.score:.2f}, hiding as much elsewhere "
        f"{check.drop_random:.2f} (mean over {over}; 95 % interval of the difference {low:.2f} to "
        f"{high:.2f})"
    )
    if check.holds:
        return f"{figures}: the heat shows what the network looks at."
    return f"{figures}: the heat is NOT better than chance here, do not read anything into it."
