"""What each variant of a picture task lost, measured on the same held-out pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.certificate import timed_invoke
from edgecrnn.convert.flatbuffer import operators
from edgecrnn.convert.recipe import Recipe
from edgecrnn.convert.versions import least_runtime
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.fit import misfit
from edgecrnn.train.pictures.judge import PictureVerdict, engine_answer, judge
from edgecrnn.train.pictures.load import Pictures
from edgecrnn.train.pictures.record import PictureRecord
from edgecrnn.train.tasks import picture_task

# Least share of each of the task's measures that a variant has to keep.
KEEPS = 0.97


@dataclass(frozen=True)
class PictureFinding:
    """One variant against the Keras model. `refused` says why it is not shipped, or is empty."""

    variant: str
    decodes: str
    bytes: int
    measures: Mapping[str, float]
    kept: Mapping[str, float]  # share of what Keras float has, by measure
    difference: float  # root mean square of the answers from Keras float's, as a share of its scale
    operators: Mapping[str, int]  # "CONV_2D v3": how many
    operator: str  # the one that asks for the newest runtime
    runtimes: Mapping[str, str]  # package to its least version that has them all
    delegated: int  # operators that the CPU delegate took
    left: Mapping[str, int]  # operators that it left to the interpreter: how many
    partitions: int
    milliseconds: float  # median time of a bare invoke on the machine that converted, one thread
    refused: str


def examine_pictures(
    model: bytes,
    recipe: Recipe,
    record: PictureRecord,
    pictures: Pictures,
    reference: PictureVerdict,
    runtime: tuple[str, str],
) -> tuple[PictureFinding, PictureVerdict]:
    """Answer the validation pictures with the variant, and compare with Keras float.

    Args:
        model: the variant.
        recipe: that made it.
        record: the run.
        pictures: held-out ones.
        reference: what Keras answered to the same examples.
        runtime: package and version that the device has.
    """
    task, settings = picture_task(record.task), record.settings
    engine = Engine(model, record.labels, recipe.name)
    verdict = judge(task, settings, pictures, reference.split, engine_answer(task, engine))
    measures = {name: one.value for name, one in verdict.measures.items()}
    kept = {name: _share(measures[name], reference.measures[name].value) for name in measures}
    taken, left, partitions = engine.placement()
    need = least_runtime(model)
    reasons = [
        *(_lost(name, measures[name], reference.measures[name].value, kept[name]) for name in kept),
        misfit(need.operator, need.least, *runtime),
    ]
    finding = PictureFinding(
        variant=recipe.name,
        decodes=recipe.decodes,
        bytes=len(model),
        measures=measures,
        kept=kept,
        difference=_apart(verdict.answers, reference.answers),
        operators=dict(Counter(f"{op} v{version}" for op, version in operators(model))),
        operator=need.operator,
        runtimes=need.least,
        delegated=len(taken),
        left=dict(Counter(left)),
        partitions=partitions,
        milliseconds=timed_invoke(engine),
        refused="; ".join(reason for reason in reasons if reason),
    )
    return finding, verdict


def _share(now: float, before: float) -> float:
    """What is kept of a measure; all of it where there was nothing to lose."""
    return now / before if before > 0 else 1.0


def _lost(name: str, now: float, before: float, kept: float) -> str:
    # Written so that NaN is a loss too.
    if kept >= KEEPS:
        return ""
    return f"{name} fell from {before:.3f} to {now:.3f}, at least {KEEPS:.0%} of it has to stay"


def _apart(answers: Sequence[Any], others: Sequence[Any]) -> float:
    pairs = [_parts(each) for each in answers], [_parts(each) for each in others]
    worst = 0.0
    for ours, theirs in zip(zip(*pairs[0], strict=True), zip(*pairs[1], strict=True), strict=True):
        scale = max(1.0, float(np.abs(np.stack(theirs)).max()))
        apart = np.sqrt(np.mean(np.square(np.stack(ours) - np.stack(theirs))))
        worst = max(worst, float(apart) / scale)
    return worst


def _parts(answer: Any) -> tuple[npt.NDArray[np.float32], ...]:
    return answer if isinstance(answer, tuple) else (answer,)
