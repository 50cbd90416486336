"""What a report shows, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.train.evaluation.result import Evaluation
from edgecrnn.train.explain.for_report import ReportExplanations


@dataclass(frozen=True)
class Example:
    """One clip or picture, what it is and what the model said."""

    name: str
    frames: npt.NDArray[np.uint8]  # [shown, h, w, 1 or 3] RGB, evenly spread over the clip
    truth: int
    predicted: int
    scores: npt.NDArray[np.float32]  # [time, classes], of all frames of the clip


@dataclass(frozen=True)
class VariantRow:
    """One converted variant, or the float model beside it. None: not known."""

    name: str
    size: int  # bytes
    clip_accuracy: float | None = None
    stream_accuracy: float | None = None
    agreement: float | None = None  # with the Keras model: share of equal decisions
    milliseconds: float | None = None  # a frame, on the machine that `note` names
    note: str = ""


@dataclass(frozen=True)
class ReportInput:
    """Everything on the page."""

    name: str
    created: str  # ISO 8601
    made_by: str
    sequence: str
    frame_rate: float | None  # frames a second; None for pictures
    parameters: int
    evaluation: Evaluation
    judged_on: str  # for example "the test split"
    examples: tuple[Example, ...] = ()
    # Each line: epoch (from 1), loss, accuracy, val_loss, val_accuracy.
    history: tuple[Mapping[str, float], ...] = ()
    baseline_history: tuple[Mapping[str, float], ...] = ()
    best_epoch: int | None = None  # from 1
    variants: tuple[VariantRow, ...] = ()
    certificate: Mapping[str, Any] | None = None  # a bundle's certificate.json, parsed
    diagrams: Mapping[str, str] = field(default_factory=dict)  # SVGs by heading
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # split, class, clips
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # group, name, value
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    explained: ReportExplanations | None = None  # why it decides so; None where nobody asked
    multiply_adds: int = 0  # of a frame or picture; 0 where it was not counted
