"""Regions: the class of every pixel."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import Image, Told
from edgecrnn.runtime.answers._colors import color

_SEEN = 0.01  # share of the frame from which on a class is named
_COVER = 0.55  # how much of the frame its color hides


def told(answer: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Told:
    """Float32 [height, width, classes], or [height, width] of numbers of classes.

    A class's score is its share of the frame; the first one, the background, is not colored.
    """
    classes = answer.argmax(axis=-1) if answer.ndim == 3 else answer.astype(np.int64)
    shares = np.bincount(classes.ravel(), minlength=len(labels)) / classes.size
    order = [int(n) for n in np.argsort(-shares) if n and shares[n] >= _SEEN]
    label = ", ".join(labels[number] for number in order) or labels[0]

    def view(frame: Image) -> Image:
        size = (frame.shape[1], frame.shape[0])
        large = cv2.resize(classes.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        paint = np.array([(0, 0, 0), *(color(n) for n in range(len(labels) - 1))], np.float32)
        cover = np.where(large > 0, _COVER, 0.0)[..., None]
        mixed = frame * (1.0 - cover) + paint[large] * cover
        return np.asarray(np.rint(mixed), np.uint8)

    score = float(shares[order[0] if order else 0])
    return Told(label, score, tuple(shares.tolist()), view, mask=classes.astype(np.uint8))
