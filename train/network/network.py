"""One network, two graphs over the same layers.

`clip` (clip_graph.py) is what trains: many steps at once. `step` is what ships: one frame in, one
LSTM step, the state carried as a value. Both are plain functions over the same layer objects, so
there are no mode flags and no weights to copy; a test holds that they agree.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from edgecrnn.train.encoders import build_encoder
from edgecrnn.train.network.cell import LSTMCell
from edgecrnn.train.network.layers import frame_features, scaled
from edgecrnn.train.network.picture import picture
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
    settings: NetworkSettings,
    frame_shape: tuple[int, int, int],
    classes: int,
    seed: int = 0,
    precision: str = "float32",
) -> Network:
    """Fresh layers with random weights.

    Args:
        settings: the choices.
        frame_shape: (height, width, channels) of the uint8 frames.
        classes: number of labels.
        seed: of the weights and of dropout.
        precision: that the encoder computes with; its weights are float32 in any case.
    """
    keras.utils.set_random_seed(seed)
    filled = settings.filled()
    height, width, channels = frame_shape
    check_blocks(filled, height, width)
    if filled.sequence == "patches":
        height, width = height // filled.blocks, width // filled.blocks
    seen = (height, width, channels * (1 + filled.sees_motion))
    with _computing_in(precision):
        encoder = build_encoder(filled.encoder, seen, filled.width, filled.weights)
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


def plain_copy(network: Network, classes: int) -> Network:
    """The same weights in a network that computes in float32."""
    settings = dataclasses.replace(network.settings, weights="")
    plain = build_network(settings, network.frame_shape, classes)
    for weight, value in zip(plain.weights, network.weights, strict=True):
        weight.assign(value)
    return dataclasses.replace(plain, settings=network.settings)


@contextlib.contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    """Layers that are made inside compute with these numbers (Micikevicius et al., 2018)."""
    before = keras.config.dtype_policy()
    if precision != "float32":
        keras.config.set_dtype_policy(f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


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
