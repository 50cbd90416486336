"""What the live rule did where it was chosen, beside what it does on clips it has never met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgecrnn.runtime.settings import check, from_mapping
from edgecrnn.train.evaluation.deciding import CurvePoint, DecidedScores
from edgecrnn.train.evaluation.metrics import difference_interval


@dataclass(frozen=True)
class Promise:
    """The rule over the validation clips that it was chosen on."""

    clips: int  # or pictures
    decided: DecidedScores
    curve: tuple[CurvePoint, ...]  # what other thresholds would do there

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Shortfall:
    """How much less is right of what is answered than validation promised; shares."""

    promised: float
    found: float
    interval: tuple[float, float]  # 95 %, of promised less found

    @property
    def chance(self) -> bool:
        """Whether there may be no difference at all."""
        return self.interval[0] <= 0 <= self.interval[1]


def read_promise(values: object, where: str) -> Promise:
    """A promise from JSON values.

    Args:
        values: what `dataclasses.asdict` made of one, through JSON.
        where: names the file in the error.

    Raises:
        EdgecrnnError: they are none.
    """
    if isinstance(values, Mapping):
        nested: dict[str, Any] = dict(values)
        if "decided" in nested:
            nested["decided"] = from_mapping(DecidedScores, nested["decided"], f"{where}.decided")
        if isinstance(nested.get("curve"), list):
            points = nested["curve"]
            nested["curve"] = [from_mapping(CurvePoint, one, f"{where}.curve") for one in points]
        values = nested
    return from_mapping(Promise, values, where)


def shortfall(promise: Promise, decided: DecidedScores) -> Shortfall | None:
    """The promise held against other clips; None where either of them answers nothing."""
    one, other = promise.decided, decided
    (low, high), (lower, higher) = one.precision_interval, other.precision_interval
    if one.precision is None or low is None or high is None:
        return None
    if other.precision is None or lower is None or higher is None:
        return None
    interval = difference_interval(one.precision, (low, high), other.precision, (lower, higher))
    return Shortfall(one.precision, other.precision, interval)


def shortfall_said(promise: Promise, decided: DecidedScores, one: str) -> str:
    """One or two sentences; nothing where nothing can be said.

    Args:
        promise: of the run.
        decided: the rule on the judged clips.
        one: clip or picture.
    """
    short = shortfall(promise, decided)
    if short is None:
        return ""
    low, high = (100 * bound for bound in short.interval)
    missing = 100 * (short.promised - short.found)
    counted = f"{promise.clips:,} {one}{'' if promise.clips == 1 else 's'}"
    held = (
        f"Where the rule was chosen (validation, {counted}) {100 * short.promised:.1f} % of the "
        f"answers were right, here {100 * short.found:.1f} %"
    )
    if f"{abs(missing):.1f}" == "0.0":
        return f"{held} as well."
    said = f"{held}: {abs(missing):.1f} points {'less' if missing >= 0 else 'more'} "
    if missing >= 0:
        said += f"(95 % interval {low:.1f} to {high:.1f})"
    else:
        said += f"(95 % interval {-high:.1f} to {-low:.1f})"
    if short.chance:
        return f"{said}, which may be chance."
    if missing < 0:
        return f"{said}."
    claimed = f" ({100 * decided.claimed:.1f} % on average)" if decided.claimed is not None else ""
    return (
        f"{said}. Validation was easier than these {one}s: take neither its threshold nor the "
        f"scores{claimed} at their word."
    )
