"""One network, two graphs over the same layers.

`clip` is what trains: many steps at once. `step` is what ships: one frame in, one LSTM step, the
state carried as a value. Both are plain functions over the same layer objects, so there are no
mode flags and no weights to copy; a test holds that they agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from edgecrnn.train.encoders import build_encoder
from edgecrnn.train.network.cell import LSTMCell
from edgecrnn.train.network.layers import dropout, frame_features, scaled
from edgecrnn.train.network.picture import picture
from edgecrnn.train.network.rounding import Rounding, as_it_is
from edgecrnn.train.network.settings import FilledSettings, NetworkSettings, check_blocks
from edgecrnn.train.tasks import task_of

States = Mapping[str, Any]
_MOTION_GAIN = 8.0


@dataclass(frozen=True)
class Network:
    """The layers, built; and what is needed to wire them."""

    settings: FilledSettings
    frame_shape: tuple[int, int, int]
    encoder: Any
    cells: tuple[Any, ...]
    head: Any
    seeds: Any  # keras.random.SeedGenerator that dropout draws from; a checkpoint keeps its state

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""
        parts = (self.encoder, *self.cells, self.head)
        return [weight for part in parts for weight in part.weights]

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        parts = (self.encoder, *self.cells, self.head)
        return [weight for part in parts for weight in part.trainable_weights]


def build_network(
    settings: NetworkSettings, frame_shape: tuple[int, int, int], classes: int, seed: int = 0
) -> Network:
    """Fresh layers with random weights.

    Args:
        settings: the choices.
        frame_shape: (height, width, channels) of the uint8 frames.
        classes: number of labels.
        seed: of the weights and of dropout.
    """
    keras.utils.set_random_seed(seed)
    filled = settings.filled()
    height, width, channels = frame_shape
    check_blocks(filled, height, width)
    if filled.sequence == "patches":
        height, width = height // filled.blocks, width // filled.blocks
    encoder = build_encoder(
        filled.encoder,
        (height, width, channels * (1 + filled.sees_motion)),
        filled.width,
        filled.weights,
    )
    if filled.sees_motion:
        _favour_motion(encoder, channels)
    cells = tuple(
        LSTMCell(filled.units, filled.cell_clip, name=f"lstm_{i}") for i in range(filled.layers)
    )
    head = layers.Dense(classes, name="head")
    seeds = keras.random.SeedGenerator(seed)
    features = step_features(encoder, filled)
    for cell in cells:
        cell.build((None, features))
        features = filled.units
    head.build((None, filled.units))
    return Network(filled, frame_shape, encoder, cells, head, seeds)


def _favour_motion(encoder: Any, channels: int) -> None:
    """Start the first convolution with larger weights on the differences than on the frame.

    Differences between frames are several times smaller than the frame itself; with equal weights
    their share in the first features is so small that motion is learned late or never.
    """
    first = next(layer for layer in encoder.layers if getattr(layer, "kernel", None) is not None)
    gain = np.ones(first.kernel.shape[-2], np.float32)
    gain[channels:] = _MOTION_GAIN
    first.kernel.assign(ops.multiply(first.kernel, gain[:, None]))


def step_features(encoder: Any, settings: NetworkSettings) -> int:
    """How many numbers the encoder gives for one step of the sequence."""
    (_, rows, columns, filters), *summary = (output.shape for output in encoder.outputs)
    if settings.sequence == "columns":
        return int(rows * filters)
    return int(rows * columns * filters + sum(shape[-1] for shape in summary))


def state_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Name and shape, without the batch, of each state; {} for pictures."""
    settings = network.settings
    if settings.sequence != "time":
        return {}
    shapes: dict[str, tuple[int, ...]] = {}
    if settings.sees_motion:
        shapes["previous"] = network.frame_shape
    for index in range(settings.layers):
        shapes[f"h{index}"] = shapes[f"c{index}"] = (settings.units,)
    return shapes


def zero_states(network: Network, batch: int) -> dict[str, Any]:
    """The state at the start of a stream, float32 [batch, ...] each."""
    return {
        name: ops.zeros((batch, *shape), "float32") for name, shape in state_shapes(network).items()
    }


def step(network: Network, frame: Any, states: States) -> tuple[Any, dict[str, Any]]:
    """One frame of a stream: (logits [batch, classes], new states).

    Args:
        frame: float32 [batch, height, width, channels] in 0..255.
        states: as `zero_states` or an earlier `step` gave them.
    """
    frame = scaled(frame)
    new: dict[str, Any] = {}
    if network.settings.sees_motion:
        new["previous"] = frame
        difference = ops.subtract(frame, states["previous"])
        frame = ops.concatenate([frame, difference], axis=-1)
    x = frame_features(network.encoder(frame))
    for index, cell in enumerate(network.cells):
        x, new[f"c{index}"] = cell(x, states[f"h{index}"], states[f"c{index}"])
        new[f"h{index}"] = x
    return network.head(x), new


def clip(
    network: Network,
    frames: Any,
    states: States,
    training: bool = False,
    rounded: Rounding = as_it_is,
) -> tuple[Any, dict[str, Any]]:
    """Consecutive frames of streams: (logits [batch, time, classes], the states after them).

    Args:
        network: the layers.
        frames: float32 [batch, time, height, width, channels] in 0..255, time known.
        states: the states before the first frame.
        training: batch statistics and dropout.
        rounded: called with each tensor that an int8 graph would round.
    """
    features, new = read(network, frames, states, training, rounded)
    logits, memory = remember(network, features, states, training, rounded)
    return logits, {**new, **memory}


def read(
    network: Network,
    frames: Any,
    states: States,
    training: bool = False,
    rounded: Rounding = as_it_is,
) -> tuple[Any, dict[str, Any]]:
    """The encoder's share of `clip`: features float32 [batch, time, features], the last frame."""
    batch, time = ops.shape(frames)[0], frames.shape[1]
    frames = scaled(frames)
    new: dict[str, Any] = {}
    if network.settings.sees_motion:
        new["previous"] = frames[:, -1]
        before = ops.concatenate([states["previous"][:, None], frames[:, :-1]], axis=1)
        frames = ops.concatenate([frames, ops.subtract(frames, before)], axis=-1)
    flat = rounded(ops.reshape(frames, (-1, *frames.shape[2:])), "frame")
    features = rounded(frame_features(network.encoder(flat, training=training)), "features")
    return ops.reshape(features, (batch, time, features.shape[-1])), new


def remember(
    network: Network,
    features: Any,
    states: States,
    training: bool = False,
    rounded: Rounding = as_it_is,
) -> tuple[Any, dict[str, Any]]:
    """The memory's share of `clip`: logits [batch, time, classes], the cells' states."""
    x = features
    new: dict[str, Any] = {}
    for index, cell in enumerate(network.cells):
        start = (states[f"h{index}"], states[f"c{index}"])
        x, (new[f"h{index}"], new[f"c{index}"]) = _recur(network, cell, x, start, training, rounded)
    return rounded(network.head(dropout(network, x, training)), "logits"), new


def stream(network: Network, frames: Any, states: States) -> tuple[Any, dict[str, Any]]:
    """`clip` for one stream of any, even unknown, length: the recurrence is a scan.

    Args:
        frames: float32 [time, height, width, channels] in 0..255.
        states: batch 1, the states before the first frame.

    Returns:
        logits [time, classes], and the states after the last frame.
    """
    frames = scaled(frames)
    new: dict[str, Any] = {}
    if network.settings.sees_motion:
        new["previous"] = frames[-1:]
        before = ops.concatenate([states["previous"], frames[:-1]], axis=0)
        frames = ops.concatenate([frames, ops.subtract(frames, before)], axis=-1)
    x = frame_features(network.encoder(frames))
    for index, cell in enumerate(network.cells):

        def advance(state: Any, projected: Any, cell: Any = cell) -> Any:
            return cell.advance(projected[None], *state)

        start = (states[f"h{index}"], states[f"c{index}"])
        h, c = tf.scan(advance, cell.project(x), start)
        new[f"h{index}"], new[f"c{index}"], x = h[-1], c[-1], h[:, 0]
    return network.head(x), new


def step_model(network: Network) -> Any:
    """The Keras model that is saved and shipped.

    Inputs by name: `frame`, and the states for sequence time. Outputs by name: `scores` and
    the new states as `<name>_out`.
    """
    frame = keras.Input(network.frame_shape, name="frame")
    states = {name: keras.Input(shape, name=name) for name, shape in state_shapes(network).items()}
    if states:
        logits, new = step(network, frame, states)
    else:
        logits, new = picture(network, frame), {}
    outputs = {"scores": task_of(network.settings.task).scores(logits)}
    outputs.update({f"{name}_out": value for name, value in new.items()})
    return keras.Model({"frame": frame, **states}, outputs, name="step")


def network_of(model: Any, settings: NetworkSettings) -> Network:
    """The same layer objects back out of a saved step model."""
    filled = settings.filled()
    cells = tuple(model.get_layer(f"lstm_{index}") for index in range(filled.layers))
    frame = next(tensor for tensor in model.inputs if tensor.name == "frame")
    height, width, channels = (int(side) for side in frame.shape[1:])
    seeds = keras.random.SeedGenerator(0)
    encoder, head = model.get_layer("encoder"), model.get_layer("head")
    return Network(filled, (height, width, channels), encoder, cells, head, seeds)


def _recur(
    network: Network,
    cell: Any,
    x: Any,
    state: tuple[Any, Any],
    training: bool,
    rounded: Rounding,
) -> tuple[Any, tuple[Any, Any]]:
    """The cell over all steps of x [batch, steps, features]; one matrix product for all inputs."""
    projected = rounded(cell.project(dropout(network, x, training)), "gates")
    h, c = state
    outputs = []
    for index in range(x.shape[1]):
        h, c = cell.advance(projected[:, index], h, c, rounded)
        outputs.append(h)
    return ops.stack(outputs, axis=1), (h, c)
