"""Calibration samples: training frames with the states that the step graph rolled out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.subject import Subject
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError

Sample = dict[str, npt.NDArray[np.float32]]


def check_calibration(subject: Subject) -> None:
    """Refuse frames that no range can be measured on.

    Raises:
        EdgecrnnError: there are none, they have another size, or all pixels are the same.
    """
    frames, shape = subject.calibration, subject.preprocessing.frame_shape
    if not len(frames):
        raise EdgecrnnError("calibration: expected frames to measure ranges on, got none")
    if frames.shape[1:] != shape:
        raise EdgecrnnError(
            f"calibration: expected frames of {shape[1]}x{shape[0]} pixels, {shape[2]} channels, "
            f"got {frames.shape[2]}x{frames.shape[1]}, {frames.shape[3]}"
        )
    if frames.min() == frames.max():
        raise EdgecrnnError(
            f"calibration: expected pictures, got {len(frames)} frames of one colour throughout "
            f"({frames.min()}); give data as the camera will see it"
        )


def roll_out(engine: Engine, frames: npt.NDArray[np.uint8], every: int = 1) -> list[Sample]:
    """What the float step graph's inputs hold along a stream.

    A state of zeros says nothing of the range that a state has in use, so the graph itself makes
    the states, never reset.

    Args:
        engine: the float32 variant.
        frames: uint8 [time, h, w, channels] of a training stream.
        every: keep each `every`-th frame's inputs.

    Returns:
        One dictionary a kept frame, float32 with a batch of 1, by input name.
    """
    samples: list[Sample] = []
    state = engine.zero_state()
    for index, frame in enumerate(frames):
        if index % every == 0:
            pixels = frame[None].astype(np.float32)
            samples.append({"frame": pixels, **{k: np.array(v) for k, v in state.items()}})
        _, state = engine.step(frame, state)
    return samples
