"""What every task on pictures reads with: an encoder over four sizes, an LSTM over blocks.

The encoder halves the picture three times and keeps each size (Ronneberger et al., 2015, keep them
for the same reason: what is fine is lost in what is coarse). The smallest map is cut into blocks;
the LSTM passes over them in reading order, and what it made of each block is laid back into its
place, so that a pixel knows of the blocks before it. A head reads all of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from edgecrnn.train.network.cell import LSTMCell
from edgecrnn.train.network.filling import filled, known
from edgecrnn.train.network.layers import flatten, scaled
from edgecrnn.train.network.settings import FilledSettings, check_frame

_FILTERS = (16, 32, 48, 64)


@dataclass(frozen=True)
class Trunk:
    """Symbolic tensors that heads read.

    Attributes:
        frame: the input, float32 [batch, height, width, channels] in 0..255.
        there: 1.0 where a pixel is no hole, [batch, height, width, 1]; None where none are filled.
        filled: the frame with its holes filled from around them, 0 to 1; None likewise.
        levels: maps at 1, 1/2, 1/4 and 1/8 of the frame's size; the last one knows its blocks.
        state: the LSTM's state after the last block, [batch, units].
        summary: each filter of the last map averaged over all places, [batch, filters].
        writers: the forms (see HeadShape) of the heads that write pixels, each with a decoder of
            its own, where two heads read it; () where one does.
        made: what heads have made of it, by name.
    """

    frame: Any
    levels: tuple[Any, ...]
    state: Any
    summary: Any
    there: Any = None
    filled: Any = None
    writers: tuple[str, ...] = ()
    made: dict[str, Any] = dataclasses.field(default_factory=dict)

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """What several heads read is made once: `make` gives it to the first that asks."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]


def build_trunk(
    frame_shape: tuple[int, int, int],
    settings: FilledSettings,
    holes: bool = False,
    writers: tuple[str, ...] = (),
) -> Trunk:
    """Fresh layers.

    Args:
        frame_shape: (height, width, channels).
        settings: width (of the filters), units, blocks (a side, at most) and cell_clip count.
        holes: whether black is a hole: it is filled first, and the encoder is told where it was.
        writers: the forms of the heads that are to write pixels, where two are to read it.

    Raises:
        EdgecrnnError: the frame cannot be divided.
    """
    check_frame(*frame_shape[:2])
    frame = keras.Input(frame_shape, name="frame")
    first, *smaller = (max(8, 8 * round(filters * settings.width / 8)) for filters in _FILTERS)
    there = known(frame) if holes else None
    guess = filled(frame, there) if holes else None
    read = ops.concatenate([guess, there], axis=-1) if holes else scaled(frame)
    x = convolved(read, first, "read_0")
    levels = [x]
    for index, filters in enumerate(smaller, 1):
        x = convolved(x, filters, f"read_{index}", stride=2)
        levels.append(x)
    remembered, state = _remember(x, settings)
    x = convolved(ops.concatenate([x, remembered], axis=-1), smaller[-1], "recall")
    summary = ops.mean(x, axis=(1, 2))
    return Trunk(frame, (*levels[:-1], x), state, summary, there, guess, writers)


def convolved(x: Any, filters: int, name: str, stride: int = 1) -> Any:
    """A 3x3 convolution and ReLU; no batch normalisation, which harms pixels (Lim et al., 2017)."""
    return layers.Conv2D(
        filters, 3, stride, padding="same", activation="relu",
        kernel_initializer="he_normal", name=name,
    )(x)  # fmt: skip


def _remember(x: Any, settings: FilledSettings) -> tuple[Any, Any]:
    """What the LSTM made of each block, in its place [batch, h, w, filters], and its state."""
    rows, columns, filters = (int(side) for side in x.shape[1:])
    side = max(n for n in range(1, settings.blocks + 1) if rows % n == 0 and columns % n == 0)
    height, width = rows // side, columns // side
    cell = LSTMCell(settings.units, settings.cell_clip, name="lstm_0")
    place = layers.Dense(height * width * filters, activation="relu", name="place")
    h = c = ops.zeros_like(x[:, 0, 0, :1]) + ops.zeros((1, settings.units))
    made = []
    for row in range(side):
        line = []
        for column in range(side):
            block = x[:, row * height : (row + 1) * height, column * width : (column + 1) * width]
            h, c = cell(flatten(block), h, c)
            line.append(ops.reshape(place(h), (-1, height, width, filters)))
        made.append(line[0] if side == 1 else ops.concatenate(line, axis=2))
    return (made[0] if side == 1 else ops.concatenate(made, axis=1)), h
