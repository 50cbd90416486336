"""What is converted, wherever it came from: a model, and the frames that certify it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.certificate import Reference
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.preprocess import Preprocessing


@dataclass(frozen=True)
class Subject:
    """A step (or picture) model in Keras, with everything that a bundle says of it.

    Attributes:
        name: for people.
        model: the `.keras` file. Inputs by name: `frame`, float32 in 0..255, and the states;
            outputs `scores` and `<state>_out`.
        labels: in the order of the scores.
        task: what the scores mean, for example classify.
        sequence: time, columns or patches; one frame a call without state is columns.
        preprocessing: from a camera's frame to the model's.
        frame_rate: frames a second that it was trained at; None for pictures.
        decision: defaults of the live loop.
        warmup: frames after a change of class that do not count.
        calibration: uint8 [time, h, w, channels], a stream that int8 ranges are measured along.
        calibration_every: which of its frames are looked at, every first, second, third ...
        reference: makes the Keras scores along the held-out frames, when it is called.
        data: what the certificate says of the data, as JSON values.
    """

    name: str
    model: Path
    labels: tuple[str, ...]
    task: str
    sequence: str
    preprocessing: Preprocessing
    frame_rate: float | None
    decision: DecisionSettings
    warmup: int
    calibration: npt.NDArray[np.uint8]
    calibration_every: int
    reference: Callable[[], Reference]
    data: Mapping[str, Any]
