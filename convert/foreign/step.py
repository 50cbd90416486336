"""The step model: one frame and the states in, scores and the new states out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from edgecrnn.convert.foreign.output import output_kind, scores_of
from edgecrnn.convert.foreign.pixels import scaled
from edgecrnn.convert.foreign.rebuild import Rebuilding, check_masks
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.walk import name_apart, replay
from edgecrnn.runtime.errors import EdgecrnnError


@dataclass(frozen=True)
class Form:
    """What a model reads: a picture, or a clip of `frames` frames (None: of any number)."""

    height: int
    width: int
    channels: int
    clip: bool
    frames: int | None = None

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return (self.height, self.width, self.channels)


@dataclass(frozen=True)
class Step:
    """The step model, and how its scores came out of the model's output."""

    model: Any
    kind: str


def form_of(model: Any, settings: ForeignSettings, where: str) -> Form:
    """What the model reads.

    Raises:
        EdgecrnnError: neither pictures nor clips, or its size is not known.
    """
    try:
        inputs, outputs = model.inputs, model.outputs
    except (AttributeError, ValueError):
        inputs = outputs = None
    if not inputs or not outputs:
        raise EdgecrnnError(
            f"{where}: expected a model that was built, got one without a known input; put a "
            "keras.Input in front and save again"
        )
    if len(inputs) != 1 or len(outputs) != 1:
        raise EdgecrnnError(
            f"{where}: expected one input, the frame, and one output, the scores, got "
            f"{len(inputs)} and {len(outputs)}; cut the model to one of each"
        )
    shape = tuple(inputs[0].shape[1:])
    what = f"{where}: expected pictures [height, width, channels] or clips [frames, height, width, "
    what += "channels] with 3 channels (RGB) or 1 (gray)"
    if len(shape) not in (3, 4):
        raise EdgecrnnError(f"{what}, got {list(shape)}; convert works on pictures")
    if shape[-1] not in (1, 3):
        hint = "train the model on RGB or gray pictures"
        if shape[-3] in (1, 3):
            hint = "build the model with data_format='channels_last'"
        raise EdgecrnnError(f"{what}, got {list(shape)}; {hint}")
    width, height = _size(shape[-2], shape[-3], settings, where)
    clip = len(shape) == 4
    return Form(height, width, int(shape[-1]), clip, shape[0] if clip else None)


def step_model(
    model: Any, form: Form, settings: ForeignSettings, labels: tuple[str, ...], where: str
) -> Step:
    """The model as a step model; layers are shared with it.

    Args:
        model: a Functional or Sequential model.
        form: what it reads.
        settings: with the pixels settled.
        labels: in the order of its scores.
        where: it came from.

    Raises:
        EdgecrnnError: it cannot be read a frame at a time, or does not end in scores.
    """
    frame = keras.Input(form.frame_shape, name="frame")
    building = Rebuilding(form.frames)
    pixels = scaled(frame, settings)
    if form.clip:
        pixels = ops.expand_dims(pixels, 1)
        building.over_time.append(pixels)
    try:
        check_masks(model)
        made = replay(model, pixels, building.of_clip if form.clip else building.of_picture)
    except EdgecrnnError as error:
        raise EdgecrnnError(f"{where}: {error}") from error
    kind = output_kind(made, building, labels, where)
    if form.clip and not building.states:
        raise EdgecrnnError(
            f"{where}: expected a model of clips with an LSTM or GRU, got one without memory; "
            "convert the model of one frame"
        )
    if kind == "linear" and _adds_up(model, form):
        kind = "softmax"
    outputs = {"scores": scores_of(made, kind)}
    outputs.update({f"{name}_out": value for name, value in building.new.items()})
    name_apart(outputs)
    return Step(keras.Model({"frame": frame, **building.states}, outputs, name="step"), kind)


def _size(
    width: int | None, height: int | None, settings: ForeignSettings, where: str
) -> tuple[int, int]:
    asked = settings.width_height
    if asked is not None:
        fits = width in (None, asked[0]) and height in (None, asked[1])
        if not fits:
            raise EdgecrnnError(
                f"--size: expected none, or the size that {where} reads ({width}x{height}), got "
                f"{settings.size}; pictures are resized to it"
            )
        return asked
    if width is None or height is None:
        raise EdgecrnnError(
            f"{where}: expected a size, and the model reads any; say one with --size WxH, the one "
            "that it was trained with"
        )
    return width, height


def _adds_up(model: Any, form: Form) -> bool:
    """Whether the outputs are shares of one already, as an average of softmaxes is."""
    rng = np.random.default_rng(0)
    frames = (form.frames or 2,) if form.clip else ()
    noise = rng.uniform(0, 1, (4, *frames, *form.frame_shape)).astype(np.float32)
    output = np.asarray(model(noise, training=False))
    return bool((output >= 0).all() and np.abs(output.sum(-1) - 1).max() < 1e-4)
