"""Runs the model from elsewhere and its step model in Keras, for the variants to match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.certificate import Reference
from edgecrnn.convert.foreign.frames import Material
from edgecrnn.convert.foreign.output import scores_of
from edgecrnn.convert.foreign.pixels import scaled_numbers
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.step import Form, Step
from edgecrnn.train.evaluation.streams import counted_frames

Frames = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
# Pictures read at once; bounds the memory.
_BLOCK = 64
# Frames of a clip that is compared, where the model reads clips of any length.
_COMPARED = 16


class Running:
    """The model and its step model on the same pixels.

    Args:
        model: from elsewhere.
        step: made of it.
        form: what the model reads.
        foreign: with the pixels settled.
    """

    def __init__(self, model: Any, step: Step, form: Form, foreign: ForeignSettings):
        import tensorflow as tf

        self._model, self._step, self._form, self._foreign = model, step, form, foreign
        self._call = tf.function(
            lambda inputs: step.model(inputs, training=False), reduce_retracing=True
        )

    def difference(self, examples: Sequence[Frames]) -> float:
        """Largest difference of a score between the two; for clips after the last frame.

        Args:
            examples: uint8 [time, height, width, channels] each; a picture is a clip of one.
        """
        worst = 0.0
        for frames in examples:
            if self._form.clip:
                frames = frames[: self._form.frames or _COMPARED]
                ours, theirs = self.stream(frames)[-1], self.original(frames[None])[0]
            else:
                ours, theirs = self.stream(frames)[0], self.original(frames)[0]
            # Not max(): a score that is no number must not be lost in it.
            difference = float(np.abs(ours - theirs).max())
            worst = worst if difference <= worst else difference
        return worst

    def right_on_clips(self, material: Material) -> float:
        """Share of the clips, each by itself from a zero state, that the model names rightly."""
        given = [clip[: self._form.frames] for clip in material.examples]
        decided = [int(self.original(clip[None])[0].argmax()) for clip in given]
        return float(np.mean(np.array(decided) == np.array(material.classes)))

    def reference(self, material: Material) -> Reference:
        """The model over the held-out pictures, or its step model along the held-out stream."""
        frames = material.check
        scores = self.stream(frames) if self._form.clip else self.original(frames)
        labels = material.labels
        if labels is None:
            labels = scores.argmax(1).astype(np.int64)
        warmup = warmup_of(self._form)
        counted = counted_frames(labels, warmup) if warmup else np.ones(len(labels), np.bool_)
        return Reference(frames, labels, counted, scores)

    def original(self, inputs: Frames) -> Scores:
        """The model's scores float32 [n, labels] of pictures or clips, uint8 [n, ...]."""
        rows = []
        for start in range(0, len(inputs), _BLOCK):
            pixels = scaled_numbers(inputs[start : start + _BLOCK], self._foreign)
            output = self._model.predict_on_batch(pixels)
            rows.append(np.asarray(scores_of(output, self._step.kind), np.float32))
        return np.concatenate(rows)

    def stream(self, frames: Frames) -> Scores:
        """The step model's scores float32 [time, labels] of frames in a row, from a zero state."""
        import tensorflow as tf

        state = {
            tensor.name: tf.zeros((1, *tensor.shape[1:]))
            for tensor in self._step.model.inputs
            if tensor.name != "frame"
        }
        rows = []
        for frame in frames:
            result = self._call({"frame": tf.constant(frame[None], tf.float32), **state})
            state = {name: result[f"{name}_out"] for name in state}
            rows.append(result["scores"][0].numpy())
        return np.stack(rows)


def warmup_of(form: Form) -> int:
    """Frames before a model of clips has seen as many as it was trained on; 0 for pictures."""
    return form.frames - 1 if form.frames else 0
