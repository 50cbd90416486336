"""Edges: how surely each pixel is one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import Image, Told


def told(answer: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Told:
    """Float32 [height, width, 1]; the score is the share of the frame that is edge."""

    def view(frame: Image) -> Image:
        levels = np.asarray(np.rint(255.0 * answer[..., 0]), np.uint8)
        return np.asarray(cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR), np.uint8)

    return Told("edges", float((answer >= 0.5).mean()), (), view, beside=True)
