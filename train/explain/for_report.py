"""What the report of a run shows of why the model decides so, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.train.evaluation.streams import Clips
from edgecrnn.train.explain.check import CheckSettings, MaskingCheck, check_by_masking
from edgecrnn.train.explain.drawing import png
from edgecrnn.train.explain.explanation import Explained, Explainer, explain
from edgecrnn.train.explain.subject_file import MOST_FRAMES


@dataclass(frozen=True)
class ReportPicture:
    """One explained clip or picture."""

    name: str
    truth: str
    decided: str
    score: float  # of the class decided on
    png: bytes  # 1200 pixels wide


@dataclass(frozen=True)
class ReportExplanations:
    """The masking check and explained examples."""

    check: MaskingCheck
    pictures: tuple[ReportPicture, ...]


def explanations_for_report(
    explainer: Explainer,
    clips: Clips,
    examples: int = 4,
    settings: CheckSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReportExplanations:
    """The check over `clips` and some of them explained, half of them decided wrongly if there are.

    Args:
        explainer: the run.
        clips: what it was not trained on, as `choose_clips` gives them.
        examples: how many clips are explained.
        settings: of the check; the method is the examples' too.
        progress: called with (clips checked, clips in all).

    Raises:
        EdgecrnnError: there are no clips.
    """
    settings = settings or CheckSettings()
    check = check_by_masking(explainer, clips, settings, progress)
    chosen = _examples(explainer, clips, examples, settings.seed)
    pictures = []
    for index in chosen:
        frames = np.array(clips.clip(index))
        explained = explain(explainer, frames, clips.names[index], None, settings.method)
        pictures.append(_picture(explained, explainer.record.labels[int(clips.labels[index])]))
    return ReportExplanations(check, tuple(pictures))


def _examples(explainer: Explainer, clips: Clips, count: int, seed: int) -> list[int]:
    """Numbers of `count` clips, half of them decided wrongly where there are so many."""
    right: list[int] = []
    wrong: list[int] = []
    for index in np.random.default_rng(seed).permutation(len(clips)).tolist():
        frames = np.array(clips.clip(index))
        if len(frames) <= MOST_FRAMES:
            decided = _decided(explainer, frames)
            (right if decided == clips.labels[index] else wrong).append(index)
        if len(right) >= count and len(wrong) >= count // 2:
            break
    few = wrong[: max(count // 2, count - len(right))]
    return [*few, *right[: count - len(few)]]


def _decided(explainer: Explainer, frames: npt.NDArray[np.uint8]) -> int:
    from edgecrnn.train.explain.answers import answers, logits_of, scores_of

    scores = scores_of(logits_of(explainer.network, frames[None]))[0]
    return int(answers(scores, explainer.record.warmup).argmax())


def _picture(explained: Explained, truth: str) -> ReportPicture:
    return ReportPicture(
        name=explained.name,
        truth=truth,
        decided=explained.labels[explained.decided],
        score=float(explained.answer[explained.decided]),
        png=png(explained),
    )
