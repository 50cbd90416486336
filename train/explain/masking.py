"""Hides a part of each frame from a network, the hottest or a random one."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from edgecrnn.train.explain.answers import answers, logits_of, scores_of

Frames = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]
# Bytes of masked clips, as the encoder reads them, that are judged at once.
_MOST_BYTES = 32 * 2**20


def hottest(heat: Floats, share: float, random: np.random.Generator) -> Masks:
    """The `share` of each frame's pixels with the most heat, bool [time, height, width].

    Equal heat is drawn by lot, so a frame without any gets a random mask and no lucky one.

    Args:
        heat: float32 [time, height, width].
        share: 0..1; of each frame exactly round(share * height * width) pixels are chosen.
        random: the lot.
    """
    time, height, width = heat.shape
    count = round(share * height * width)
    flat = heat.reshape(time, -1)
    order = np.lexsort((random.random(flat.shape), -flat), axis=-1)
    masks = np.zeros(flat.shape, np.bool_)
    np.put_along_axis(masks, order[:, :count], True, axis=1)
    return masks.reshape(heat.shape)


def moved(masks: Masks, random: np.random.Generator) -> Masks:
    """The same masks somewhere else: all moved by one random step, round the frame's edges.

    A random part of the frame with the size, the shape and the motion of the mask that it is
    compared with: nothing but the place differs.
    """
    _, height, width = masks.shape
    step = (int(random.integers(height)), int(random.integers(width)))
    return np.roll(masks, step, axis=(1, 2))


def masked_answers(network: Any, frames: Frames, masks: Masks, warmup: int) -> Floats:
    """What the network answers where it cannot see the masked pixels, [variants, classes].

    They get the frame's mean, colour by colour. A network that sees motion gets no motion there,
    too: otherwise a mask that moves would be the strongest motion in the clip, wherever it lies,
    and every mask would lower the score alike.

    Args:
        network: the layers.
        frames: uint8 [time, height, width, channels].
        masks: bool [variants, time, height, width]; True is hidden.
        warmup: frames at the start that do not count.
    """
    per_variant = 8 * frames.size
    at_once = max(1, _MOST_BYTES // per_variant)
    parts = []
    for start in range(0, len(masks), at_once):
        block = masks[start : start + at_once]
        clips = np.repeat(frames[None], len(block), axis=0)
        if network.settings.sees_motion:
            encoder = _BlindedEncoder(network.encoder, network.frame_shape[2], block)
            blinded = dataclasses.replace(network, encoder=encoder)
            parts.append(answers(scores_of(network, logits_of(blinded, clips)), warmup))
        else:
            mean = clips.mean(axis=(2, 3), keepdims=True, dtype=np.float32)
            clips = np.where(block[..., None], mean, clips)
            parts.append(answers(scores_of(network, logits_of(network, clips)), warmup))
    return np.asarray(np.concatenate(parts), np.float32)


class _BlindedEncoder:
    """An encoder of a frame beside its difference to the one before, with masked inputs."""

    def __init__(self, encoder: Any, channels: int, masks: Masks) -> None:
        self._encoder = encoder
        self._channels = channels
        self._masks = tf.constant(masks.reshape(-1, *masks.shape[2:], 1))

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        frame, motion = inputs[..., : self._channels], inputs[..., self._channels :]
        mean = tf.reduce_mean(frame, axis=(1, 2), keepdims=True)
        seen = [tf.where(self._masks, mean, frame), tf.where(self._masks, 0.0, motion)]
        return self._encoder(tf.concat(seen, axis=-1), training=training)
