"""Whether the heat is true: hiding where it is must cost more score than hiding elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.evaluation.metrics import bootstrap_interval
from edgecrnn.train.evaluation.streams import Clips
from edgecrnn.train.explain.explanation import Explainer
from edgecrnn.train.explain.subject_file import MOST_FRAMES


@dataclass(frozen=True)
class CheckSettings:
    """How the masking check is made."""

    method: str = setting("layer-cam", "how heat is made", choices=("layer-cam", "grad-cam"))
    share: float = setting(0.2, "share of each frame that is hidden", least=0.01, most=0.9)
    draws: int = setting(5, "random masks for each clip", least=1, most=1000)
    clips: int = setting(0, "clips that are checked, drawn at random; 0 for all", least=0)
    seconds: float = setting(
        0.0, "after so long no further clip is begun, one is always; 0 for no bound",
        unit="seconds", least=0,
    )  # fmt: skip
    seed: int = setting(0, "of the random masks, the clips and the bootstrap", least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class MaskingCheck:
    """How much of the decided class's score is lost, on the mean over the clips, 0..1."""

    method: str
    share: float
    clips: int
    of: int  # clips that there are
    draws: int
    seed: int
    score: float  # with nothing hidden
    drop_heat: float  # the hottest part hidden
    drop_random: float  # a random part hidden
    difference: tuple[float, float]  # 95 % bootstrap interval of drop_heat - drop_random, by clip
    wins: float  # share of the clips where the heat's part costs more than the random ones' mean

    @property
    def holds(self) -> bool:
        """Whether the heat is better than chance beyond doubt: the interval lies above zero."""
        return self.difference[0] > 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "difference": list(self.difference), "holds": self.holds}


def check_by_masking(
    explainer: Explainer,
    clips: Clips,
    settings: CheckSettings,
    progress: Callable[[int, int], None] | None = None,
) -> MaskingCheck:
    """Hide the hottest part of every clip, then random parts, and compare what it costs.

    For each clip the class that is decided on is explained. The hottest `share` of each frame's
    pixels is hidden; then, `draws` times, the same mask moved somewhere else (`masking.moved`).
    Of a long clip the first MOST_FRAMES frames are taken: memory grows with them, 0.8 MB each.

    Args:
        explainer: the run.
        clips: clips or pictures that it was not trained on.
        settings: how.
        progress: called with (clips done, clips in all).

    Raises:
        EdgecrnnError: there are no clips.
    """
    from edgecrnn.train.explain.gradcam import heat
    from edgecrnn.train.explain.masking import hottest, masked_answers, moved

    if len(clips) == 0:
        raise EdgecrnnError("data: expected at least one clip or picture to check, got none")
    random = np.random.default_rng(settings.seed)
    chosen = random.permutation(len(clips))[: settings.clips or None]
    warmup, network = explainer.record.warmup, explainer.network
    scores: list[float] = []
    heat_drops, random_drops = [], []
    began = time.monotonic()
    for done, index in enumerate(chosen.tolist(), 1):
        if settings.seconds and scores and time.monotonic() - began > settings.seconds:
            break
        frames = np.array(clips.clip(index)[:MOST_FRAMES])
        nothing = np.zeros(frames.shape[:3], np.bool_)
        whole = masked_answers(network, frames, nothing[None], warmup)[0]
        label = int(whole.argmax())
        warm = heat(network, frames, label, warmup, settings.method)
        hot = hottest(warm, settings.share, random)
        masks = [hot, *(moved(hot, random) for _ in range(settings.draws))]
        left = masked_answers(network, frames, np.stack(masks), warmup)[:, label]
        scores.append(whole[label])
        heat_drops.append(whole[label] - left[0])
        random_drops.append(np.mean(whole[label] - left[1:]))
        if progress is not None:
            progress(done, len(chosen))
    gains = np.subtract(heat_drops, random_drops)
    return MaskingCheck(
        method=settings.method,
        share=settings.share,
        clips=len(scores),
        of=len(clips),
        draws=settings.draws,
        seed=settings.seed,
        score=float(np.mean(scores)),
        drop_heat=float(np.mean(heat_drops)),
        drop_random=float(np.mean(random_drops)),
        difference=bootstrap_interval(gains, np.ones(len(gains)), settings.seed),
        wins=float(np.mean(gains > 0)),
    )


def _counted(result: MaskingCheck) -> str:
    return f"{result.clips}" + (f" of {result.of}" if result.clips < result.of else "")


def check_text(result: MaskingCheck, kind: str) -> str:
    """The check in words and numbers.

    Args:
        result: the check.
        kind: "clips" or "pictures".
    """
    low, high = result.difference
    share = f"{result.share:.0%}".replace("%", " %")
    verdict = (
        "The heat shows what the network looks at: hiding it costs more than chance."
        if result.holds
        else "The heat is NOT better than chance here: do not read anything into it."
    )
    lines = (
        f"{result.method}, {_counted(result)} {kind}, {result.draws} random masks each, "
        f"seed {result.seed}",
        f"score of the decided class        {result.score:.3f}",
        f"lost, hottest {share} hidden       {result.drop_heat:.3f}",
        f"lost, random {share} hidden        {result.drop_random:.3f}",
        f"difference                        {result.drop_heat - result.drop_random:.3f}"
        f"  (95 % interval {low:.3f} to {high:.3f})",
        f"{kind} where the heat costs more   {result.wins:.1%}",
        "Hidden pixels get the frame's mean and no motion; a random mask is the heat's own, moved.",
        verdict,
    )
    return "\n".join(lines) + "\n"
