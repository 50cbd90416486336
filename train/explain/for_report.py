"""What the report of a run shows of why the model decides so, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgecrnn.train.evaluation.result import Evaluation
from edgecrnn.train.evaluation.streams import Clips
from edgecrnn.train.explain.check import CheckSettings, MaskingCheck, check_by_masking
from edgecrnn.train.explain.drawing import webp
from edgecrnn.train.explain.explanation import Explained, Explainer, explain
from edgecrnn.train.explain.subject_file import MOST_FRAMES

SECONDS = 20.0  # that the check may take: a report does not wait for all of a large set


@dataclass(frozen=True)
class ReportPicture:
    """One explained clip or picture."""

    name: str
    truth: str
    right: bool
    decided: str
    score: float | None  # of the class decided on; None where several labels were
    webp: bytes  # 1200 pixels wide


@dataclass(frozen=True)
class ReportExplanations:
    """The masking check and explained examples."""

    check: MaskingCheck
    pictures: tuple[ReportPicture, ...]


def explanations_for_report(
    explainer: Explainer,
    clips: Clips,
    evaluation: Evaluation,
    examples: int = 4,
    settings: CheckSettings | None = None,
) -> ReportExplanations:
    """The check over as many of `clips` as there is time for, and some explained.

    Half of those were decided wrongly, if there are so many.

    Args:
        explainer: the run.
        clips: what it was not trained on, as they were judged.
        evaluation: of the run over `clips`, which says what was decided wrongly.
        examples: how many clips are explained.
        settings: of the check; the method is the examples' too.

    Raises:
        EdgecrnnError: there are no clips.
    """
    settings = settings or CheckSettings(draws=3, seconds=SECONDS)
    check = check_by_masking(explainer, clips, settings)
    pictures = []
    for index in _examples(clips, evaluation, examples, settings.seed):
        frames = np.array(clips.clip(index))
        explained = explain(explainer, frames, clips.names[index], None, settings.method)
        right = evaluation.detail.predicted[index] == clips.labels[index]
        truth = evaluation.labels[int(clips.labels[index])]
        shown = _picture(explained, truth, bool(right))
        if evaluation.multilabel is not None:
            # What is right or wrong is the set of labels; the picture explains one of them.
            decided = evaluation.labels[int(evaluation.detail.predicted[index])]
            shown = replace(shown, decided=decided, score=None)
        pictures.append(shown)
    return ReportExplanations(check, tuple(pictures))


def _examples(clips: Clips, evaluation: Evaluation, count: int, seed: int) -> list[int]:
    """Numbers of `count` clips, half of them decided wrongly where there are so many."""
    order = np.random.default_rng(seed).permutation(len(clips))
    short = order[np.diff(clips.starts)[order] <= MOST_FRAMES]
    correct = evaluation.detail.predicted[short] == clips.labels[short]
    right = _each_class_in_turn(short[correct], clips)
    wrong = _each_class_in_turn(short[~correct], clips)
    few = wrong[: max(count // 2, count - len(right))]
    return [*few, *right[: count - len(few)]]


def _each_class_in_turn(chosen: npt.NDArray[np.int64], clips: Clips) -> list[int]:
    """The first of each class, then the second of each."""
    seen: dict[int, int] = {}
    turns = []
    for index in chosen.tolist():
        label = int(clips.labels[index])
        turns.append(seen.get(label, 0))
        seen[label] = turns[-1] + 1
    return [index for _, index in sorted(zip(turns, chosen.tolist(), strict=True), key=_turn)]


def _turn(pair: tuple[int, int]) -> int:
    return pair[0]


def _picture(explained: Explained, truth: str, right: bool) -> ReportPicture:
    return ReportPicture(
        name=explained.name,
        truth=truth,
        right=right,
        decided=explained.labels[explained.decided],
        score=float(explained.answer[explained.decided]),
        webp=webp(explained),
    )
