"""A vector by which pictures are found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import Image, Told


def told(answer: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Told:
    """Float32 [numbers]; nothing to show but the frame."""

    def view(frame: Image) -> Image:
        return frame

    return Told("vector", 1.0, tuple(0.0 for _ in labels), view)
