"""Finds the feature map that Grad-CAM reads, by walking the encoder."""

from __future__ import annotations

from typing import Any

import keras

from edgecrnn.runtime.errors import EdgecrnnError

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Conv2DTranspose,
)


def last_map(encoder: Any) -> Any:
    """The symbolic tensor [batch, h, w, filters] of an encoder's last shared convolution.

    The last convolution that every reading of the encoder depends on, and of its size the last
    tensor that no reading can be computed without: so what normalises and rectifies the
    convolution, and what is added to it, is in the map. A convolution that only one reading has
    (one that makes the positions, say) hides from the gradient what the others see.

    Args:
        encoder: a functional Keras model of one input and any number of readings.

    Raises:
        EdgecrnnError: the encoder has no such convolution.
    """
    readings = list(encoder.outputs)
    order = _in_order(readings)
    needed = [set(map(id, _in_order([reading]))) for reading in readings]
    shared = [x for x in order if all(id(x) in needs for needs in needed)]
    convolved = [x for x in shared if isinstance(x._keras_history.operation, _CONVOLUTIONS)]
    if convolved:
        size = convolved[-1].shape
        for tensor in reversed(shared):
            if tensor.shape == size and _on_every_way(tensor, readings):
                return tensor
    raise EdgecrnnError(
        f"encoder: expected a convolution that all its {len(readings)} readings come out of, "
        "got none; explain another run"
    )


def _in_order(ends: list[Any]) -> list[Any]:
    """The tensors that `ends` are computed from and `ends`, each after what it is made of."""
    order: list[Any] = []
    seen: set[int] = set()
    waiting = [(end, False) for end in reversed(ends)]
    while waiting:
        tensor, done = waiting.pop()
        if done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            waiting.append((tensor, True))
            waiting.extend((source, False) for source in _sources(tensor))
    return order


def _sources(tensor: Any) -> list[Any]:
    """What the tensor is computed from; nothing for an input."""
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def _on_every_way(tensor: Any, readings: list[Any]) -> bool:
    """Whether every way from the input to a reading leads through `tensor`."""
    waiting = list(readings)
    seen = {id(tensor)}
    while waiting:
        at = waiting.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        sources = _sources(at)
        if not sources:
            return False
        waiting.extend(sources)
    return True
