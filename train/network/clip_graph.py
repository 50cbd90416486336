"""The graph that trains: many steps of a stream at once, over the layers that `step` ships."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from edgecrnn.train.network.layers import dropout, frame_features, scaled
from edgecrnn.train.network.network import Network, States
from edgecrnn.train.network.rounding import Rounding, as_it_is


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
