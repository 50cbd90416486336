"""What the task `generate` makes pictures of: frames of noise, with the class written into them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_CELL, _HALF = 8, 4


def seed_frame(
    shape: tuple[int, int, int], label: int, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """A frame of cells of 8x8 pixels: two squares of noise above, the class below.

    A class is a pattern of black and white cells, always the same for its number; without one
    (-1) all are gray.

    Args:
        shape: (height, width, channels), the first two multiples of 8.
        label: number of the class, or -1.
        rng: draws the noise.
    """
    rows, columns, channels = shape[0] // _CELL, shape[1] // _CELL, shape[2]
    noise = rng.integers(0, 256, (rows, columns * 2, channels), np.uint8)
    said = np.full((rows, columns, 1), 128, np.uint8)
    if label >= 0:
        said = 255 * np.random.default_rng(label).integers(0, 2, said.shape, np.uint8)
    above = noise.repeat(_HALF, axis=1)
    below = np.broadcast_to(said.repeat(_CELL, axis=1), above.shape)
    cells = np.stack([above, below], axis=1).repeat(_HALF, axis=1)
    return np.ascontiguousarray(cells.reshape(shape))
