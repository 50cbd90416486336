"""Peers in Keras, trained on the same frames for a given processor time from random weights.

    python bench/results/keras_peers.py PEER SET FOLDER --seconds N --out FILE.json

PEER is `without-memory` (our encoder, frames averaged), `mobilenet` (MobileNetV3Small a frame,
scores averaged) or `convolution` (a (2+1)D network, Tran et al., 2018; for pictures its spatial
half).
The learning rate falls as a cosine of the processor time that is used up; the epoch with the best
validation accuracy is kept.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sets import Set, choices_of, set_named

from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.augment import Noise, apply, draw
from edgecrnn.train.data.store import Data, DataSettings, FrameStore, load
from edgecrnn.train.tasks import Task, task_of
from edgecrnn.train.tensorflow_start import start_tensorflow

RATE = 1e-3
DECAY = 5e-4
FRAMES = 16  # of a clip that the (2+1)D network is shown at once in training
PICTURES = 32  # a batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=("without-memory", "mobilenet", "convolution"))
    parser.add_argument("set")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, required=True, help="of processor time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    start_tensorflow()
    import keras

    keras.utils.set_random_seed(args.seed)
    chosen = set_named(args.set)
    width, height = chosen.size
    data = load(
        args.folder, Preprocessing(height, width), DataSettings(frame_rate=chosen.frame_rate)
    )
    shape, classes = (height, width, 3), len(data.labels)
    clips = args.peer == "convolution" and data.kind == "clips"
    model = _build(args.peer, shape, classes, clips, data.kind)
    _normalise_soon(model)
    reader = _reader(model, task_of(data.task), shape, clips)
    epochs = train(model, reader, data, chosen, clips, args.seconds, args.seed)
    result = judged(read(reader, data.splits["test"], clips), data.splits["test"], data.task)
    result |= {
        "epochs": epochs,
        "parameters": int(model.count_params()),
        "multiply_adds": _multiply_adds(model, clips),
    }
    args.out.write_text(json.dumps(result))


def _build(peer: str, shape: tuple[int, int, int], classes: int, clips: bool, kind: str) -> Any:
    """Frames [B, H, W, C] (or clips [B, T, H, W, C]) in 0..255 to logits."""
    import keras
    from keras import layers

    if peer == "mobilenet":
        frame = keras.Input(shape)
        body = keras.applications.MobileNetV3Small(
            input_shape=shape, weights=None, include_top=False, pooling="avg"
        )
        return keras.Model(frame, layers.Dense(classes)(body(frame)))
    if peer == "without-memory":
        from edgecrnn.train.network.settings import NetworkSettings
        from edgecrnn.train.network.trainee import build_baseline

        settings = NetworkSettings(sequence="time" if kind == "clips" else "columns")
        baseline = build_baseline(settings, shape, classes)
        frame = keras.Input(shape)
        model = keras.Model(frame, baseline.logits(frame))
        # In training mode the encoder normalises by the batch.
        encoder = baseline.encoder
        return _Trained(model, lambda x: baseline.logits(x, True), encoder)
    return _convolution(shape, classes, clips)


def _normalise_soon(model: Any) -> None:
    """Moving means that follow within so few updates (MobileNetV3's take thousands)."""
    from keras import layers

    inner = model.model if isinstance(model, _Trained) else model
    for layer in inner._flatten_layers(include_self=False):
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9


class _Trained:
    """A model whose training pass is another function over the same layers."""

    def __init__(self, model: Any, train: Callable[[Any], Any], encoder: Any):
        self.model, self.train, self.encoder = model, train, encoder

    def __call__(self, x: Any, training: bool = False) -> Any:
        return self.train(x) if training else self.model(x)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def _convolution(shape: tuple[int, int, int], classes: int, clips: bool) -> Any:
    """Filters chosen so that a frame costs about what the default network's frame costs."""
    import keras
    from keras import layers

    frames = keras.Input((None, *shape) if clips else shape)
    x = layers.Rescaling(1 / 127.5, -1)(frames)
    for number, filters in enumerate((16, 32, 48, 64)):
        stride = 2 if number else 1
        if clips:
            x = layers.Conv3D(filters, (1, 3, 3), (1, stride, stride), "same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
            x = layers.Conv3D(filters, (3, 1, 1), 1, "same", use_bias=False)(x)
        else:
            x = layers.Conv2D(filters, 3, stride, "same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        if not number:
            pool = layers.MaxPooling3D((1, 2, 2)) if clips else layers.MaxPooling2D(2)
            x = pool(x)
    x = layers.GlobalAveragePooling3D()(x) if clips else layers.GlobalAveragePooling2D()(x)
    return keras.Model(frames, layers.Dense(classes)(layers.Dropout(0.2)(x)))


def train(
    model: Any,
    reader: Any,
    data: Data,
    chosen: Set,
    clips: bool,
    seconds: float,
    seed: int,
) -> int:
    """Train until the processor time is used up; the number of epochs."""
    import keras
    import tensorflow as tf

    task = task_of(data.task)
    optimizer = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
    optimizer.build(model.trainable_weights)

    @tf.function(reduce_retracing=True)
    def learn(frames: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model(tf.cast(frames, tf.float32), training=True)
            loss = tf.reduce_mean(task.loss(logits, targets, 0.1))
        optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
        return loss

    store, began, epoch = data.splits["train"], time.process_time(), 0
    best, kept = -1.0, [np.array(w) for w in model.get_weights()]
    while (used := time.process_time() - began) < seconds:
        for frames, targets in batches(store, chosen, clips, seed, epoch):
            used = min(1.0, (time.process_time() - began) / seconds)
            optimizer.learning_rate = RATE * max(0.01, 0.5 * (1 + math.cos(math.pi * used)))
            learn(frames, targets)
        epoch += 1
        val = data.splits["val"]
        score = judged(read(reader, val, clips), val, data.task)["accuracy"]
        if score >= best:
            best, kept = score, [np.array(w) for w in model.get_weights()]
    model.set_weights(kept)
    return epoch


def batches(
    store: FrameStore, chosen: Set, clips: bool, seed: int, epoch: int
) -> Iterator[tuple[Any, Any]]:
    """One epoch: each clip FRAMES frames at a time, or as many single frames; augmented as ours."""
    random = np.random.default_rng((seed, epoch))
    lengths = np.diff(store.starts)
    order = random.permutation(len(store))
    choices = choices_of(chosen, "clips" if lengths.max() > 1 else "pictures")
    if choices.train.balanced:
        kinds = np.unique(store.labels)
        shares = np.concatenate([
            random.choice(np.flatnonzero(store.labels == kind), -(-len(store) // len(kinds)))
            for kind in kinds
        ])  # fmt: skip
        order = random.permutation(shares)
    settings = choices.augmentation
    height, width, channels = store.frames.shape[1:]
    draws = draw(settings, len(order), (height, width, channels), random)
    noise = Noise(settings.noise, random)
    each = FRAMES if clips else max(1, int(np.median(lengths)) // 4)
    rows = max(1, 64 // each) if clips else max(1, PICTURES // each)
    for start in range(0, len(order) - rows + 1, rows):
        frames = np.empty((rows, each, height, width, channels), np.uint8)
        for row in range(rows):
            clip = int(order[start + row])
            length = int(lengths[clip])
            if clips:
                first = int(random.integers(0, max(1, length - each + 1)))
                places = np.minimum(first + np.arange(each), length - 1)
            else:
                places = random.integers(0, length, each)
            apply(store.clip(clip)[places], start + row, draws, frames[row])
        noise.add(frames.reshape(-1, height, width, channels))
        targets = store.targets[order[start : start + rows]]
        if clips:
            yield frames, targets
        else:
            yield frames.reshape(-1, height, width, channels), np.repeat(targets, each, axis=0)


def _reader(model: Any, task: Task, shape: tuple[int, int, int], clips: bool) -> Any:
    """Compiled: frames uint8 [N, H, W, C] (a clip, or any) to scores [N or 1, classes]."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.uint8)])
    def scores(frames: Any) -> Any:
        x = tf.cast(frames, tf.float32)
        return task.scores(model(x[None] if clips else x, training=False))

    return scores


def read(reader: Any, store: FrameStore, clips: bool) -> list[Any]:
    """The scores of each clip: of all of it at once, or the mean over its frames."""
    if clips:
        return [np.asarray(reader(store.clip(i)))[0] for i in range(len(store))]
    parts = [np.asarray(reader(store.frames[at : at + 256]))
             for at in range(0, len(store.frames), 256)]  # fmt: skip
    table = np.concatenate(parts)
    return [table[store.starts[i] : store.starts[i + 1]].mean(axis=0) for i in range(len(store))]


def judged(scores: list[Any], store: FrameStore, task: str) -> dict[str, Any]:
    """The figures of one split from the scores of its clips."""
    from edgecrnn.train.evaluation.metrics import share_interval
    from edgecrnn.train.evaluation.multilabel import average_precision

    table = np.stack(scores)
    if task == "multilabel":
        right = ((table > 0.5) == (store.targets > 0.5)).all(axis=1)
        truth = store.targets > 0.5
        each = [average_precision(truth[:, i], table[:, i]) for i in range(truth.shape[1])]
        extra = {"mean_average_precision": float(np.nanmean(each))}
    else:
        right, extra = table.argmax(axis=1) == store.labels, {}
    counted = np.ones(len(right), np.int64)
    low, high = share_interval(right.astype(np.int64), counted, 0)
    return {"accuracy": float(right.mean()), "low": low, "high": high, "clips": len(right), **extra}


def _multiply_adds(model: Any, clips: bool) -> int:
    """Of a frame: a clip of FRAMES frames costs FRAMES times that."""
    from keras import layers

    total = 0
    inner = model.model if isinstance(model, _Trained) else model
    for layer in inner._flatten_layers(include_self=False):
        if isinstance(layer, layers.Conv3D):
            rows, columns = layer.output.shape[2:4]
            total += int(rows) * int(columns) * math.prod(layer.kernel.shape)
        elif isinstance(layer, layers.DepthwiseConv2D | layers.Conv2D):
            _, rows, columns, _ = layer.output.shape
            total += int(rows) * int(columns) * math.prod(layer.kernel.shape)
        elif isinstance(layer, layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total


if __name__ == "__main__":
    main()
