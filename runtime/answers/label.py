"""A score for each class, beside what another task makes of the frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import Image, Told


def told(answer: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Told:
    """Float32 [classes], adding up to one."""
    scores = tuple(float(min(1.0, max(0.0, score))) for score in answer)
    best = int(np.argmax(answer))

    def view(frame: Image) -> Image:
        return frame

    return Told(labels[best], scores[best], scores, view)
