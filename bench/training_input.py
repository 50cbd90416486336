"""Does training wait for its data? Real clips and random tensors in memory, epoch by epoch in turn.

    python bench/training_input.py DATA [--size 64x48] [--frame-rate 5] [--epochs 18]

Half of the epochs read DATA as `edgecrnn train` does: decoded once, augmented, made by a thread
that is ahead. The others get as many windows that are tensors already, by turns: real, random,
random, real. The first two compile and are left out. Prints the share of the time spent on
waiting, and the ratio of frames a second by the clock and by the processor time of the process:
the clock of a machine that does other work beside says little.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.batches import (
    Window,
    picture_batches,
    picture_steps,
    stream_steps,
    stream_windows,
)
from edgecrnn.train.data.prefetch import Prefetch
from edgecrnn.train.data.store import DataSettings, FrameStore, load
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tensorflow_start import start_tensorflow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", default="64x48")
    parser.add_argument("--frame-rate", type=float)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--cache", default="")
    parser.add_argument("--turn", type=float, default=0.0)
    parser.add_argument("--blur", type=float, default=0.0)
    args = parser.parse_args()
    how = Augmentation(turn=args.turn, blur=args.blur)
    width, height = map(int, args.size.split("x"))
    chosen = DataSettings(frame_rate=args.frame_rate, cache=args.cache)
    data = load(args.data, Preprocessing(height, width), chosen)
    store, classes = data.splits["train"], len(data.labels)
    sequence = "time" if data.kind == "clips" else "columns"
    settings = TrainSettings(epochs=args.epochs, batch=args.batch)
    frames = settings.window if sequence == "time" else 1
    steps = (
        stream_steps(store, args.batch, frames)
        if sequence == "time"
        else picture_steps(store, args.batch)
    )
    start_tensorflow()
    kept = random_windows(min(steps, 8), args.batch, frames, store, classes)
    began = dict[int, float]()  # processor time at an epoch's first window
    ended = dict[int, float]()  # and after its last step

    def windows(epoch: int) -> Iterator[Window]:
        began[epoch] = time.process_time()
        if epoch % 4 in (1, 2):
            return iter([kept[step % len(kept)] for step in range(steps)])
        if sequence != "time":
            return Prefetch(picture_batches(store, args.batch, 0, epoch, how))
        return Prefetch(stream_windows(store, args.batch, frames, 4, 0, epoch, 8.0, how))

    def on_step(epoch: int, step: int, loss: float) -> None:
        ended[epoch] = time.process_time()

    from edgecrnn.train.fit import fit
    from edgecrnn.train.network.network import build_network
    from edgecrnn.train.network.trainee import network_trainee

    network = build_network(NetworkSettings(sequence=sequence), store.frames.shape[1:], classes)
    with tempfile.TemporaryDirectory() as folder:
        done = fit(
            network_trainee(network, classes, settings.guidance),
            windows,
            lambda epoch: iter(kept[:1]),
            steps,
            settings,
            Path(folder) / "checkpoint.npz",
            on_step=on_step,
        )
    lines = done.history[2:]
    real = [line for line in lines if (line.epoch - 1) % 4 in (0, 3)]
    memory = [line for line in lines if (line.epoch - 1) % 4 in (1, 2)]
    a_frame = 1e6 / (steps * args.batch * frames)
    print(
        f"{len(store.frames)} frames of {args.size} in {len(store)} files, {steps} steps an epoch"
    )
    found = []
    for name, chosen_lines in (("real", real), ("random tensors", memory)):
        rates = [line.samples_per_second for line in chosen_lines]
        spent = [(ended[x.epoch - 1] - began[x.epoch - 1]) * a_frame for x in chosen_lines]
        found.append((statistics.median(rates), statistics.median(spent)))
        print(
            f"{name:<16}{found[-1][0]:8.0f} frames/s, {found[-1][1]:7.1f} us of processor time a "
            f"frame (medians of {len(rates)} epochs)"
        )
    pairs = sorted(
        one.samples_per_second / other.samples_per_second
        for one, other in zip(real, memory, strict=False)
    )
    waiting = [100 * line.waiting for line in real]
    print(f"waiting for data {statistics.median(waiting):.1f} % (at most {max(waiting):.1f} %)")
    print(
        f"real / random    {statistics.median(pairs):.3f} by the clock (pairs {pairs[0]:.3f} to "
        f"{pairs[-1]:.3f}), {found[1][1] / found[0][1]:.3f} by processor time"
    )


def random_windows(
    count: int, batch: int, frames: int, store: FrameStore, classes: int
) -> list[Window]:
    """Windows of noise whose frames and targets are tensors already."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    shape = (batch, frames, *store.frames.shape[1:])
    return [
        Window(
            tf.constant(random.integers(0, 256, shape, np.uint8)),
            tf.constant(np.eye(classes, dtype=np.float32)[random.integers(0, classes, shape[:2])]),
            np.ones(shape[:2], np.float32),
            np.zeros(batch, np.float32),
        )
        for _ in range(count)
    ]


if __name__ == "__main__":
    main()
