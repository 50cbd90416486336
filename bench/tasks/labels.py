"""Tasks of labels: the network against the same encoder without memory, on the same test pictures.

`edgecrnn train` fits that one beside it: each frame alone, or the steps of a picture averaged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.train.evaluation.choice import choose_clips
from edgecrnn.train.evaluation.multilabel import average_precision
from edgecrnn.train.measures.bootstrap import gain, resampled
from edgecrnn.train.run_folder import read_record
from edgecrnn.train.subject import load_for, open_subject

_USUAL = "the same encoder, its {} averaged"


def judged(data: Path, run: Path, bundle: Path) -> dict[str, Any]:
    """What stands in the table for a run of pictures and its bundle."""
    trained, ships, record = open_subject(run), open_subject(bundle), read_record(run)
    assert trained.baseline is not None
    loaded = load_for(trained, data, "")
    clips = choose_clips(loaded, "test", trained.trained).clips
    frames = np.concatenate([clips.clip(i) for i in range(len(clips))])
    scores = {
        "keras": trained.predictor.scores(frames, None)[0],
        "shipped": ships.predictor.scores(frames, None)[0],
        "theirs": trained.baseline.scores(frames, None)[0],
    }
    several = trained.task == "multilabel"
    name = "mean_average_precision" if several else "accuracy"

    def value(who: str, chosen: Any) -> float:
        if several:
            return _precision(clips.targets[chosen] > 0.5, scores[who][chosen])
        return float((scores[who][chosen].argmax(1) == clips.labels[chosen]).mean())

    def measured(who: str) -> dict[str, Any]:
        low, high = resampled(lambda chosen: value(who, chosen), len(clips))
        return {name: {"value": value(who, np.arange(len(clips))), "low": low, "high": high}}

    opened = open_bundle(bundle)
    return {
        "pictures": len(clips),
        "first": name,
        **{who: measured(who) for who in scores},
        "variant": opened.variant().name,
        "bytes": len(opened.read(opened.variant().file)),
        "million_multiply_adds": record.multiply_adds / 1e6,
        "parameters": record.parameters,
        "usual": _USUAL.format({"patches": "blocks"}.get(trained.sequence, trained.sequence)),
        "gain": {
            name: vars(
                gain(lambda c: value("shipped", c), lambda c: value("theirs", c), len(clips))
            )
        },
    }


def _precision(truth: Any, scores: Any) -> float:
    """The mean over the labels that are true somewhere and false somewhere."""
    known = [i for i in range(truth.shape[1]) if 0 < truth[:, i].sum() < len(truth)]
    return float(np.mean([average_precision(truth[:, i], scores[:, i]) for i in known]))
