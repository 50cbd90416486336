"""Calibration samples: training frames with the states that the step graph rolled out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.engine import Engine

Sample = dict[str, npt.NDArray[np.float32]]


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
