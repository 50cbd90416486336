"""A value of the whole picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import Image, Told


def told(answer: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Told:
    """Float32 [1], 0 to 1; it stands in the picture's corner."""
    value = float(answer[0])

    def view(frame: Image) -> Image:
        picture = frame.copy()
        size = max(0.4, min(picture.shape[:2]) / 300)
        place = (round(8 * size), round(30 * size))
        for shade, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(
                picture, f"{value:.2f}", place, cv2.FONT_HERSHEY_SIMPLEX, size, shade, thick
            )
        return picture

    return Told(f"{value:.2f}", value, (), view)
