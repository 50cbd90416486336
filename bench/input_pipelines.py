"""Memory map and threads, or TFRecord shards and tf.data? Both feed the same streams here.

    python bench/input_pipelines.py DATA [--size 64x48] [--frame-rate 5] [--turns 3]

Each way runs in a process of its own, the ways by turns: `map` is what `edgecrnn train` does;
`records` keeps the decoded clips in TFRecord shards, shuffles and augments in tf.data's own
operators (crop, levels, noise: the defaults of `Augmentation`); `records+` calls our augmentation
from tf.data. Printed for each: size on the disk, seconds from the opened process to the first
window, processor time a frame (all threads) without a network, peak memory over TensorFlow's own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.augment import Augmentation, Noise, apply, draw
from edgecrnn.train.data.batches import stream_windows
from edgecrnn.train.data.prefetch import Prefetch
from edgecrnn.train.data.store import DataSettings, FrameStore, load

BATCH, WINDOW, EPOCHS = 16, 16, 4
WAYS = ("map", "records", "records+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", default="64x48")
    parser.add_argument("--frame-rate", type=float)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way:
        print(json.dumps(measured(args)))
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        store = opened(args, work)
        write_records(store, work)
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(args.turns):
            for way in WAYS:
                words = [sys.executable, __file__, *sys.argv[1:], "--way", way, "--work", folder]
                done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
                found[way].append(json.loads(done.stdout.splitlines()[-1]))
        disk = {
            "map": (work / "cache").rglob("train.npy"),
            "records": work.glob("*.tfrecord"),
            "records+": work.glob("*.tfrecord"),
        }
        print(f"{len(store.frames):,} frames of {args.size} in {len(store)} clips")
        print("way        disk MB  first window s  us a frame  memory MB")
        for way, lines in found.items():
            size = sum(path.stat().st_size for path in disk[way]) / 1e6
            first, spent, memory = (
                statistics.median(line[name] for line in lines)
                for name in ("first", "spent", "memory")
            )
            print(f"{way:<10}{size:8.1f}{first:16.2f}{spent:12.1f}{memory:11.0f}")


def opened(args: argparse.Namespace, work: Path) -> FrameStore:
    width, height = map(int, args.size.split("x"))
    settings = DataSettings(frame_rate=args.frame_rate, cache=str(work / "cache"))
    return load(args.data, Preprocessing(height, width), settings).splits["train"]


def write_records(store: FrameStore, work: Path) -> None:
    """A shard for each row; each clip one record, its frames' bytes and its label."""
    import tensorflow as tf

    for shard in range(BATCH):
        with tf.io.TFRecordWriter(str(work / f"{shard}.tfrecord")) as writer:
            for clip in range(shard, len(store), BATCH):
                features = {
                    "frames": tf.train.Feature(
                        bytes_list=tf.train.BytesList(value=[store.clip(clip).tobytes()])
                    ),
                    "label": tf.train.Feature(
                        int64_list=tf.train.Int64List(value=[int(store.labels[clip])])
                    ),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())


def measured(args: argparse.Namespace) -> dict[str, float]:
    import tensorflow as tf

    tf.constant(0)
    width, height = map(int, args.size.split("x"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    if args.way == "map":
        store = opened(args, args.work)
        epochs = mapped(store)
    else:
        epochs = recorded(args.work, (height, width, 3), args.way == "records+")
    frames, first, spent = 0, 0.0, 0.0
    for epoch, windows in enumerate(epochs):
        if epoch == 1:  # the first one also starts
            frames, spent = 0, time.process_time()
        for shown in windows:
            first = first or time.perf_counter() - began
            frames += BATCH * WINDOW
            del shown
    return {
        "first": first,
        "spent": (time.process_time() - spent) * 1e6 / frames,
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


def mapped(store: FrameStore) -> Iterator[Any]:
    for epoch in range(EPOCHS):
        yield Prefetch(stream_windows(store, BATCH, WINDOW, 4, 0, epoch, 8.0, Augmentation()))


def recorded(work: Path, shape: tuple[int, int, int], ours: bool) -> Iterator[Any]:
    """A shard's shuffled clips run on as one row, cut into windows; the rows side by side."""
    import tensorflow as tf

    how = Augmentation()
    height, width, _ = shape
    random = np.random.default_rng(0)
    noise = Noise(how.noise, random)

    def parsed(record: Any) -> tuple[Any, Any]:
        said = tf.io.parse_single_example(
            record,
            {
                "frames": tf.io.FixedLenFeature([], tf.string),
                "label": tf.io.FixedLenFeature([], tf.int64),
            },
        )
        return tf.reshape(tf.io.decode_raw(said["frames"], tf.uint8), (-1, *shape)), said["label"]

    def by_tensorflow(frames: Any, label: Any) -> tuple[Any, Any]:
        share = 1 - tf.random.uniform([], 0, how.crop)
        corner = tf.random.uniform([2]) * (1 - share)
        box = tf.concat([corner, corner + share], 0)
        contrast = 1 + tf.random.uniform([], -how.contrast, how.contrast)
        brightness = 255 * tf.random.uniform([], -how.brightness, how.brightness)
        count = tf.shape(frames)[0]
        shown = tf.image.crop_and_resize(
            frames, tf.tile(box[None], [count, 1]), tf.range(count), (height, width)
        )
        shown = (shown - 127.5) * contrast + 127.5 + brightness
        shown += tf.random.normal(tf.shape(shown), 0, how.noise)
        return tf.cast(tf.clip_by_value(tf.round(shown), 0, 255), tf.uint8), label

    def by_opencv(frames: Any, label: Any) -> tuple[Any, Any]:
        def change(clip: Any) -> Any:
            out = np.empty_like(clip)
            apply(clip, 0, draw(how, 1, shape, random), out)
            noise.add(out)
            return out

        shown = tf.numpy_function(change, [frames], tf.uint8)
        return tf.ensure_shape(shown, (None, *shape)), label

    def row(number: int) -> Any:
        clip = tf.data.TFRecordDataset(str(work / f"{number}.tfrecord")).shuffle(1000)
        changed = clip.map(parsed).map(by_opencv if ours else by_tensorflow)
        frames = changed.map(lambda frames, label: (frames, tf.repeat(label, tf.shape(frames)[0])))
        return frames.rebatch(WINDOW, drop_remainder=True)

    rows = tf.data.Dataset.zip(tuple(map(row, range(BATCH))))
    windows = rows.map(
        lambda *rows: (tf.stack([r[0] for r in rows]), tf.stack([r[1] for r in rows]))
    ).prefetch(2)
    for _ in range(EPOCHS):
        yield windows


if __name__ == "__main__":
    main()
