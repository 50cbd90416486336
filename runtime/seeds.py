"""What the task `generate` makes pictures of: frames of noise, with the class written into them."""

from __future__ import annotations

from functools import lru_cache

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
        said = 255 * _pattern(label, rows, columns)[..., None]
    above = noise.repeat(_HALF, axis=1)
    below = np.broadcast_to(said.repeat(_CELL, axis=1), above.shape)
    cells = np.stack([above, below], axis=1).repeat(_HALF, axis=1)
    return np.ascontiguousarray(cells.reshape(shape))


def asked_for(frame: npt.NDArray[np.uint8], labels: int) -> int:
    """The number, below `labels`, of the class that is written into a frame; -1 where none is.

    Args:
        frame: as `seed_frame` made it, uint8 [height, width, channels].
        labels: how many classes there are.
    """
    said = frame[_HALF::_CELL, ::_CELL, 0]
    if not np.isin(said, (0, 255)).all():
        return -1
    return _numbers(*said.shape, labels).get((said > 0).tobytes(), -1)


def _pattern(label: int, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """The cells of a class: 0 or 1, uint8 [rows, columns]."""
    return np.random.default_rng(label).integers(0, 2, (rows, columns, 1), np.uint8)[..., 0]


@lru_cache(maxsize=4)
def _numbers(rows: int, columns: int, labels: int) -> dict[bytes, int]:
    """The classes by their cells; the first where small frames have too few cells to differ."""
    return {_pattern(n, rows, columns).astype(bool).tobytes(): n for n in reversed(range(labels))}


def is_seed(frame: npt.NDArray[np.uint8]) -> bool:
    """Whether the frame is such noise, which no camera's is: even cells, and not all of one level.

    Args:
        frame: uint8 [height, width, channels].
    """
    height, width, channels = frame.shape
    if height % _CELL or width % _CELL:
        return False
    cells = frame.reshape(height // _CELL, 2, _HALF, width // _HALF, _HALF, channels)
    # Of a camera's frame the first row of squares is enough to tell, nearly always.
    for squares in (cells[:1], cells):
        if not (squares == squares[:, :, :1, :, :1]).all():
            return False
    above, below = cells[:, 0, 0, :, 0], cells[:, 1, 0, :, 0]
    said = np.isin(below, (0, 128, 255)).all() and (below[:, ::2] == below[:, 1::2]).all()
    return bool(said and (above != above[0, 0]).any())
