"""Tasks of labels: the network against the same encoder without memory, on the same test pictures.

`edgecrnn train` fits one beside it that averages the steps of a picture. Another one reads a single
step (single.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from single import best_single

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.train.evaluation.choice import choose_clips
from edgecrnn.train.evaluation.multilabel import average_precision
from edgecrnn.train.measures.bootstrap import gain, resampled
from edgecrnn.train.run_folder import read_record
from edgecrnn.train.subject import load_for, open_subject

_USUAL = "the same encoder, its {}s averaged"
_SINGLE = "the same encoder on one {}, number {} of {}"
_STEPS = {"patches": "block", "columns": "column"}


def judged(data: Path, run: Path, bundle: Path) -> dict[str, Any]:
    """What stands in the table for a run of pictures and its bundle."""
    trained, ships, record = open_subject(run), open_subject(bundle), read_record(run)
    assert trained.baseline is not None
    loaded = load_for(trained, data, "")
    val, clips = (choose_clips(loaded, split, trained.trained).clips for split in ("val", "test"))
    frames = _frames(clips)
    several = trained.task == "multilabel"
    name = "mean_average_precision" if several else "accuracy"
    right = _precision if several else _accuracy
    place, count, single = best_single(
        record, loaded, run, _frames(val), lambda scores: right(val.targets, scores)
    )
    scores = {
        "keras": trained.predictor.scores(frames, None)[0],
        "shipped": ships.predictor.scores(frames, None)[0],
        "averaged": trained.baseline.scores(frames, None)[0],
        "single": single(frames),
    }

    def value(who: str, chosen: Any) -> float:
        return right(clips.targets[chosen], scores[who][chosen])

    def measured(who: str) -> dict[str, Any]:
        low, high = resampled(lambda chosen: value(who, chosen), len(clips))
        return {name: {"value": value(who, np.arange(len(clips))), "low": low, "high": high}}

    def against(who: str) -> dict[str, Any]:
        more = gain(lambda c: value("shipped", c), lambda c: value(who, c), len(clips))
        return {"theirs": measured(who), "gain": {name: vars(more)}}

    opened, step = open_bundle(bundle), _STEPS[trained.sequence]
    return {
        "pictures": len(clips),
        "first": name,
        "keras": measured("keras"),
        "shipped": measured("shipped"),
        "variant": opened.variant().name,
        "bytes": len(opened.read(opened.variant().file)),
        "million_multiply_adds": record.multiply_adds / 1e6,
        "parameters": record.parameters,
        "usual": _USUAL.format(step),
        **against("averaged"),
        "others": [{"usual": _SINGLE.format(step, place + 1, count), **against("single")}],
    }


def _frames(clips: Any) -> np.ndarray:
    return np.concatenate([clips.clip(i) for i in range(len(clips))])


def _accuracy(targets: Any, scores: Any) -> float:
    return float((scores.argmax(1) == targets.argmax(1)).mean())


def _precision(targets: Any, scores: Any) -> float:
    """The mean over the labels that are true somewhere and false somewhere."""
    truth = targets > 0.5
    known = [i for i in range(truth.shape[1]) if 0 < truth[:, i].sum() < len(truth)]
    return float(np.mean([average_precision(truth[:, i], scores[:, i]) for i in known]))
