"""From the frame's 0 to 255 to what the model was trained on; it becomes part of the graph."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.walk import only_training
from edgecrnn.runtime.errors import EdgecrnnError

Floats = npt.NDArray[np.float32]
_AS_IT_IS = (0.0, 255.0)
# A layer that maps 255 to at most this expects pixels, not numbers between 0 and 1.
_MOST_SCALED = 3.0
# No mean of numbers between 0 and 1 is above it.
_LEAST_MEAN = 1.5
# What keras.applications.imagenet_utils.preprocess_input takes away and divides by; caffe is BGR.
_CAFFE_MEAN = (103.939, 116.779, 123.68)
_TORCH_MEAN, _TORCH_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def settle_pixels(
    model: Any, settings: ForeignSettings, channels: int, where: str
) -> tuple[ForeignSettings, str]:
    """The settings with the pixels that the model expects filled in, and a sentence on them.

    Raises:
        EdgecrnnError: neither the person nor the model's first layer says what it expects.
    """
    if settings.imagenet != "none":
        if channels != 3:
            raise EdgecrnnError(
                f"--imagenet: expected a model of RGB pictures, got {channels} channel; "
                "use --pixels"
            )
        return settings, f"pixels: as keras.applications prepares them, {settings.imagenet}"
    if settings.pixels is not None:
        low, high = settings.pixels
        return settings, f"pixels: {low:g} to {high:g}, as --pixels says"
    first = _first_layer(model)
    if not _scales_itself(first):
        raise EdgecrnnError(
            f"{where}: expected to know what the model's pixels are, and its first layer "
            f"({first.name}) does not tell; say what black and white were in training: "
            "--pixels 0 255, --pixels 0 1 or --pixels -1 1, or --imagenet caffe or torch"
        )
    filled = dataclasses.replace(settings, pixels=_AS_IT_IS)
    return filled, f"pixels: 0 to 255, which the layer {first.name} scales"


def scaled(frame: Any, settings: ForeignSettings) -> Any:
    """The frame, float32 [..., height, width, channels] in 0..255, as the model expects it."""
    if settings.imagenet != "none":
        return _per_channel(frame, settings.imagenet)
    low, high = settings.pixels or _AS_IT_IS
    if (low, high) == _AS_IT_IS:
        return frame
    moved = ops.multiply(frame, (high - low) / 255.0)
    return moved if low == 0.0 else ops.add(moved, low)


def scaled_numbers(frames: npt.NDArray[np.uint8], settings: ForeignSettings) -> Floats:
    """The same for pixels in memory, by Keras's own functions: the graph's are held to them."""
    pixels = frames.astype(np.float32)
    if settings.imagenet != "none":
        prepare = keras.applications.imagenet_utils.preprocess_input
        return np.asarray(prepare(pixels, mode=settings.imagenet), np.float32)
    low, high = settings.pixels or _AS_IT_IS
    return np.asarray(pixels / 255.0 * (high - low) + low, np.float32)


def _per_channel(frame: Any, mode: str) -> Any:
    """One convolution of a pixel with itself: it reorders, scales and moves the channels."""
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    if mode == "caffe":
        kernel[0, 0] = np.eye(3)[::-1]
        bias = -np.array(_CAFFE_MEAN, np.float32)
    else:
        deviation = np.array(_TORCH_DEVIATION, np.float32)
        kernel[0, 0] = np.diag(1.0 / (255.0 * deviation))
        bias = -np.array(_TORCH_MEAN, np.float32) / deviation
    layer = keras.layers.Conv2D(3, 1, name="pixels")
    made = layer(frame)
    layer.set_weights([kernel, bias])
    return made


def _first_layer(model: Any) -> Any:
    """The first operation that changes the picture's values."""
    if isinstance(model, keras.layers.TimeDistributed):
        return _first_layer(model.layer)
    operations = getattr(model, "operations", None) if isinstance(model, keras.Model) else None
    if isinstance(model, keras.Sequential):
        operations = model.layers
    for operation in operations or ():
        if not only_training(operation) and not isinstance(operation, keras.layers.Resizing):
            return _first_layer(operation)
    return model


def _scales_itself(layer: Any) -> bool:
    """Whether the layer makes 0 to 255 small, and so was given 0 to 255."""
    if isinstance(layer, keras.layers.Rescaling):
        scale = float(np.max(np.abs(np.asarray(layer.scale, np.float64))))
        return 0.0 < 255.0 * scale <= _MOST_SCALED
    if isinstance(layer, keras.layers.Normalization):
        mean = keras.ops.convert_to_numpy(layer.mean)
        return not layer.invert and bool(np.max(mean) > _LEAST_MEAN)
    return False
