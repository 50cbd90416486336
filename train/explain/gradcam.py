"""Where in the frame: which places of the last shared feature map speak for a class."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from edgecrnn.train.explain.answers import first_counted, logits_of
from edgecrnn.train.explain.last_map import last_map
from edgecrnn.train.explain.receptive import onto_pixels

Frames = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

LAYER_CAM, GRAD_CAM = "layer-cam", "grad-cam"
METHODS = (LAYER_CAM, GRAD_CAM)
# Frames that go through the convolutions at once; bounds the memory of a long clip.
_BLOCK = 64


class _WatchedEncoder:
    """The encoder in two parts, with the tape watching the map between them."""

    def __init__(self, encoder: Any) -> None:
        self.feature_map = between = last_map(encoder)
        self._before = keras.Function(encoder.inputs, [between])
        self._after = keras.Function([between], encoder.outputs)
        self.tape: Any = None
        self.maps: Any = None

    def __call__(self, frames: Any, training: bool = False) -> Any:
        blocks = [
            self._before([frames[start : start + _BLOCK]])[0]
            for start in range(0, len(frames), _BLOCK)
        ]
        # The tape sees nothing before the map, so no convolution is kept for a way back.
        self.maps = tf.concat(blocks, axis=0)
        self.tape.watch(self.maps)
        return self._after([self.maps])


def heat(network: Any, frames: Frames, label: int, warmup: int, method: str = LAYER_CAM) -> Floats:
    """How much each place of each frame speaks for `label`.

    With A the map, g the gradient of the class's mean logit over the counted frames:

    - grad-cam: ReLU(sum over filters of A times the mean of g over the frame's places),
      Selvaraju et al., 2017. The mean takes all places to be read alike.
    - layer-cam: ReLU(sum over filters of A times ReLU(g)), Jiang et al., 2021: the same with each
      place's own gradient. Here the LSTM reads places apart, and a filter may be for the class
      in one place and against it in another.

    Args:
        network: the layers.
        frames: uint8 [time, height, width, channels], a clip from a zero state; one frame for a
            network that reads pictures.
        label: number of the class.
        warmup: frames at the start whose logits do not count.
        method: "layer-cam" or "grad-cam".

    Returns:
        float32 [time, height, width], 0 or more, interpolated from the map's cells to pixels. All
        zero where nothing speaks for the class.

    Raises:
        EdgecrnnError: the encoder has no map that all its readings come out of.
    """
    encoder = _WatchedEncoder(network.encoder)
    watched = dataclasses.replace(network, encoder=encoder)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        encoder.tape = tape
        logits = logits_of(watched, frames[None])[0, :, label]
        target = tf.reduce_mean(logits[first_counted(len(frames), warmup) :])
    gradient = tape.gradient(target, encoder.maps)
    if method == GRAD_CAM:
        gradient = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    else:
        gradient = tf.nn.relu(gradient)
    maps = tf.nn.relu(tf.reduce_sum(gradient * encoder.maps, axis=-1)).numpy()
    rows, columns = onto_pixels(encoder.feature_map)
    pixels = rows @ maps @ columns.T
    if network.settings.sequence == "patches":
        pixels = _put_together(pixels, network.settings.blocks)
    return np.asarray(pixels, np.float32)


def _put_together(pieces: Floats, blocks: int) -> Floats:
    """[blocks * blocks, rows, columns] in reading order to [1, blocks * rows, blocks * columns]."""
    _, rows, columns = pieces.shape
    cut = pieces.reshape(blocks, blocks, rows, columns).transpose(0, 2, 1, 3)
    return cut.reshape(1, blocks * rows, blocks * columns)
