"""Where in the frame the cells of a feature map look."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def onto_pixels(feature_map: Any) -> tuple[Floats, Floats]:
    """Matrices that interpolate values of a map to pixels: `rows @ values @ columns.T`.

    A cell's value belongs where the middle of its receptive field is (Araujo et al., 2019).
    Spreading the map evenly over the frame would be wrong by half a cell and more: TensorFlow pads
    a strided convolution on the right and below, so the middles are not the middles of the tiles.
    Between the middles it is interpolated linearly, beyond them the outermost value holds.

    Args:
        feature_map: symbolic [batch, rows, columns, filters] of a functional encoder.

    Returns:
        float32 [height, rows] and [width, columns].
    """
    sides, fields = _fields(feature_map)
    rows, columns = (
        _interpolation(side, cells, start, step)
        for side, cells, (start, step) in zip(sides, feature_map.shape[1:3], fields, strict=True)
    )
    return rows, columns


def _fields(tensor: Any) -> tuple[tuple[int, int], list[tuple[float, float]]]:
    """(height, width) of the frame; for each axis the middle of cell 0 and the step, in pixels."""
    layers = []
    while True:
        history = tensor._keras_history
        sources = history.operation._inbound_nodes[history.node_index].input_tensors
        if not sources:
            break
        # Of what is added together, one way will do: both look at the same places. What came
        # from a single place, the weights of squeeze and excitation, looks at none.
        tensor = max(sources, key=_places)
        layers.append((history.operation, tensor.shape))
    fields = [(0.0, 1.0), (0.0, 1.0)]
    for layer, shape in reversed(layers):
        for axis in (0, 1):
            start, step = fields[axis]
            offset, stride = _middle(layer, axis, int(shape[1 + axis]))
            fields[axis] = (start + offset * step, step * stride)
    return (int(tensor.shape[1]), int(tensor.shape[2])), fields


def _places(tensor: Any) -> int:
    """How many places a map has; anything else has one."""
    return int(tensor.shape[1] * tensor.shape[2]) if len(tensor.shape) == 4 else 1


def _middle(layer: Any, axis: int, size: int) -> tuple[float, int]:
    """Where in its input, of `size` cells, a layer's output 0 looks, and the step to the next."""
    padding = getattr(layer, "padding", None)
    kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if kernel is None:
        # ZeroPadding2D: ((top, bottom), (left, right)).
        before = padding[axis][0] if isinstance(padding, tuple) else 0
        return (-float(before), 1)
    dilation = getattr(layer, "dilation_rate", (1, 1))
    dilated = dilation[axis] if isinstance(dilation, tuple) else dilation
    extent = (kernel[axis] - 1) * dilated + 1
    stride = int(layer.strides[axis])
    padded = max((-(-size // stride) - 1) * stride + extent - size, 0) if padding == "same" else 0
    return ((extent - 1) / 2 - padded // 2, stride)


def _interpolation(pixels: int, cells: int, start: float, step: float) -> Floats:
    """[pixels, cells], each row's two neighbouring cells by nearness."""
    at = np.clip((np.arange(pixels) - start) / step, 0, cells - 1)
    below = np.minimum(at.astype(np.int64), max(0, cells - 2))
    matrix = np.zeros((pixels, cells), np.float32)
    matrix[np.arange(pixels), np.minimum(below + 1, cells - 1)] = at - below
    matrix[np.arange(pixels), below] = 1 - (at - below)
    return matrix
