"""Why a run's network gives a clip or a picture the class it gives, or any other class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import is_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest
from edgecrnn.train.run_folder import RECORD, RunRecord, load_model, read_record
from edgecrnn.train.tensorflow_start import start_tensorflow

Frames = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Explained:
    """An explanation as plain values."""

    name: str  # of the clip or picture
    labels: tuple[str, ...]
    label: int  # the class that is explained
    decided: int  # the class with the largest score
    frames: Frames  # [time, height, width, channels], as the network reads them; one for a picture
    scores: Floats  # [time, classes]
    answer: Floats  # [classes], what the clip as a whole gets: the mean of the counted frames
    heat: Floats  # [time, height, width], 0 or more
    importance: Floats | None  # [time], see `left_out.importance`; None for a picture
    method: str  # how the heat was made
    warmup: int
    frame_rate: float | None

    @property
    def score(self) -> float:
        """The score of the class that is explained."""
        return float(self.answer[self.label])


@dataclass(frozen=True)
class Explainer:
    """A run, opened to be asked."""

    record: RunRecord
    network: Any

    @property
    def reads_clips(self) -> bool:
        """Whether it reads clips; otherwise pictures."""
        return self.record.sequence == "time"


def open_explainer(run: Path) -> Explainer:
    """Open the folder of a run.

    Raises:
        EdgecrnnError: it is a bundle, no run, or damaged.
    """
    if not (run / RECORD).is_file() and run.exists() and is_bundle(run):
        raise EdgecrnnError(
            f"{run}: expected a run (a folder with {RECORD}), got a bundle, which has no gradients "
            "to ask; give the run that it was converted from"
        )
    record = read_record(run)
    model = load_model(run)
    start_tensorflow()
    from edgecrnn.train.network.network import network_of

    return Explainer(record, network_of(model, record.network))


def label_number(record: RunRecord, label: str) -> int:
    """The number of a class by its name.

    Raises:
        EdgecrnnError: the run knows no such class.
    """
    if label not in record.labels:
        raise EdgecrnnError(
            f"--label: expected one of {', '.join(record.labels)}, got {label!r}"
            f"{nearest(label, record.labels)}"
        )
    return record.labels.index(label)


def explain(
    explainer: Explainer, frames: Frames, name: str, label: int | None, method: str
) -> Explained:
    """Explain one clip or picture.

    Args:
        explainer: the run.
        frames: uint8 [time, height, width, channels], prepared as for training; for a run that
            reads pictures time is 1.
        name: what to call it.
        label: number of the class to explain; None for the one decided on.
        method: see `gradcam.heat`.
    """
    from edgecrnn.train.explain.answers import answers, logits_of, scores_of
    from edgecrnn.train.explain.gradcam import heat
    from edgecrnn.train.explain.left_out import importance

    record, network = explainer.record, explainer.network
    scores = scores_of(network, logits_of(network, frames[None]))[0]
    answer = answers(scores, record.warmup)
    decided = int(answer.argmax())
    label = decided if label is None else label
    return Explained(
        name=name,
        labels=record.labels,
        label=label,
        decided=decided,
        frames=frames,
        scores=scores,
        answer=np.asarray(answer, np.float32),
        heat=heat(network, frames, label, record.warmup, method),
        importance=importance(network, frames, label, record.warmup)
        if explainer.reads_clips
        else None,
        method=method,
        warmup=record.warmup,
        frame_rate=record.frame_rate,
    )
