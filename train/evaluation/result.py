"""What an evaluation says. NaN (0/0) is None here, so that it is null in JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.train.evaluation.deciding import CurvePoint, DecidedScores
from edgecrnn.train.evaluation.promise import Promise

FORMAT = 2


@dataclass(frozen=True)
class ClassScores:
    """One class over clips; None where it is 0/0."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int  # clips (or pictures)
    stream_accuracy: float | None  # share of its counted stream frames that are right


@dataclass(frozen=True)
class ClipScores:
    """Each clip on its own from a zero state, the mean of its scores after the warm-up."""

    accuracy: float
    interval: tuple[float, float]  # 95 %, bootstrap by clip
    balanced_accuracy: float
    count: int
    shuffled_accuracy: float | None  # the same clips, their frames shuffled; None for pictures
    frame_accuracy: float | None = None  # of their frames after the warm-up, one by one; likewise


@dataclass(frozen=True)
class StreamScores:
    """All clips joined without reset, a decision a frame."""

    accuracy: float | None  # over the counted frames
    interval: tuple[float | None, float | None]  # 95 %, bootstrap by clip
    frames: int
    counted: int  # frames beyond the warm-up after each change of class
    changes: int  # changes of class
    delay_median: int | None  # frames until half of the changes were followed; None: never
    delay_p90: int | None  # frames until 90 % of the changes were followed; None: never
    never_followed: int  # changes that the decision did not follow before the next one
    flickers_per_1000: float | None  # decisions that change where the truth does not
    less_clips: float | None = None  # accuracy less that of the clips
    less_clips_interval: tuple[float | None, float | None] = (None, None)  # 95 %, clips in pairs


@dataclass(frozen=True)
class BaselineScores:
    """A model that sees one frame at a time and remembers nothing, over the same frames."""

    clip_accuracy: float
    stream_accuracy: float | None  # None for pictures


@dataclass(frozen=True)
class LabelScores:
    """One of several labels that may be true together, over clips; None where it is 0/0."""

    label: str
    average_precision: float | None
    precision: float | None  # at the threshold
    recall: float | None
    f1: float | None
    threshold: float  # score from which on it is called true
    support: int  # clips (or pictures) that it is true of


@dataclass(frozen=True)
class MultilabelScores:
    """Labels that may be true together."""

    mean_average_precision: float | None  # over the labels that are true somewhere
    interval: tuple[float | None, float | None]  # 95 %, bootstrap by clip
    hamming: float  # share of all (clip, label) pairs that are right
    labels: tuple[LabelScores, ...]


@dataclass(frozen=True)
class Trace:
    """The stream frame by frame, for pictures of it."""

    order: npt.NDArray[np.int64]  # [clips]
    truth: npt.NDArray[np.int64]  # [frames]
    scores: npt.NDArray[np.float32]  # [frames, classes]
    counted: npt.NDArray[np.bool_]  # [frames]


@dataclass(frozen=True)
class Detail:
    """What is too long for JSON."""

    scores: tuple[npt.NDArray[np.float32], ...]  # of each clip [time, classes]
    predicted: npt.NDArray[np.int64]  # [clips]
    trace: Trace | None


@dataclass(frozen=True)
class Evaluation:
    """Everything that `evaluate` found out."""

    kind: str  # pictures or clips
    labels: tuple[str, ...]
    warmup: int  # frames left out at a clip's start and after a change of class
    seed: int
    clip: ClipScores
    stream: StreamScores | None  # None for pictures
    classes: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]  # clips; rows the truth, columns the prediction
    baseline: BaselineScores | None
    detail: Detail = field(repr=False, compare=False)
    multilabel: MultilabelScores | None = None  # where the classes are sets of labels
    decision: DecisionSettings | None = None  # the rule that was judged
    decided: DecidedScores | None = None  # the stream, or pictures, as it decides
    curve: tuple[CurvePoint, ...] = ()  # what other thresholds would do
    promise: Promise | None = None  # the rule where it was chosen, on other clips than these

    def to_dict(self) -> dict[str, Any]:
        """Plain values without `detail`, ready for JSON."""
        # detail holds big arrays; asdict would copy them first.
        fields = [f.name for f in dataclasses.fields(self) if f.name != "detail"]
        return {"format": FORMAT, **{name: _plain(getattr(self, name)) for name in fields}}

    def to_json(self) -> bytes:
        """UTF-8 JSON, indented."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode("utf-8", "surrogatepass")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
