"""A few decoded frames to measure with."""

from __future__ import annotations

import numpy as np

from edgecrnn.runtime.frame import Source
from edgecrnn.runtime.preprocess import Image

MOST = 32


def random_images(size: tuple[int, int]) -> list[Image]:
    """Frames of (width, height) pixels with random content, uint8 BGR."""
    width, height = size
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), np.uint8) for _ in range(MOST // 2)]


def first_images(source: Source) -> list[Image]:
    """The first frames of a source, as many as have the first one's size; the source is closed."""
    images: list[Image] = []
    try:
        while len(images) < MOST and (frame := source.read()) is not None:
            if not images or frame.image.shape == images[0].shape:
                images.append(frame.image)
    finally:
        source.close()
    return images
