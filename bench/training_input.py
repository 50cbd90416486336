"""Does training wait for its data? Real clips and random tensors in memory, epoch by epoch in turn.

    python bench/training_input.py DATA [--size 64x48] [--frame-rate 5] [--epochs 13]

Even epochs read DATA as `edgecrnn train` does: decoded once, augmented, made by a thread that is
ahead. Odd epochs get as many windows from memory. The first two compile and are left out.
Prints the share of the time spent on waiting, and the ratio of frames a second.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.batches import Window, prefetch, stream_steps, stream_windows
from edgecrnn.train.data.store import DataSettings, load
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tensorflow_start import start_tensorflow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", default="64x48")
    parser.add_argument("--frame-rate", type=float)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=13)
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    data = load(args.data, Preprocessing(height, width), DataSettings(frame_rate=args.frame_rate))
    store, classes = data.splits["train"], len(data.labels)
    settings = TrainSettings(epochs=args.epochs, batch=args.batch)
    steps = stream_steps(store, settings.batch, settings.window)
    random = np.random.default_rng(0)
    shape = (settings.batch, settings.window, *store.frames.shape[1:])
    kept = [
        Window(
            random.integers(0, 256, shape, np.uint8),
            np.eye(classes, dtype=np.float32)[random.integers(0, classes, shape[:2])],
            np.ones(shape[:2], np.float32),
            np.zeros(settings.batch, np.float32),
        )
        for _ in range(min(steps, 8))
    ]

    def windows(epoch: int) -> Iterator[Window]:
        if epoch % 2:
            return iter([kept[step % len(kept)] for step in range(steps)])
        made = stream_windows(
            store, settings.batch, settings.window, 4, 0, epoch, 8.0, Augmentation()
        )
        return prefetch(made)

    start_tensorflow()
    from edgecrnn.train.fit import fit
    from edgecrnn.train.network.network import build_network
    from edgecrnn.train.network.trainee import network_trainee

    network = build_network(NetworkSettings(), store.frames.shape[1:], classes)
    with tempfile.TemporaryDirectory() as folder:
        done = fit(
            network_trainee(network, classes, settings.guidance),
            windows,
            lambda epoch: iter(kept[:1]),
            steps,
            settings,
            Path(folder) / "checkpoint.npz",
        )
    real, memory = done.history[2::2], done.history[3::2]
    pairs = [
        one.samples_per_second / other.samples_per_second
        for one, other in zip(real, memory, strict=False)
    ]
    waiting = [100 * line.waiting for line in real]
    print(
        f"{len(store.frames)} frames of {args.size} in {len(store)} clips, {steps} steps an epoch"
    )
    for name, lines in (("real clips", real), ("random tensors", memory)):
        rates = [line.samples_per_second for line in lines]
        print(f"{name:<16}{statistics.median(rates):8.0f} frames/s (median of {len(rates)} epochs)")
    print(f"waiting for data {statistics.median(waiting):.1f} % (at most {max(waiting):.1f} %)")
    low, high = min(pairs), max(pairs)
    print(f"real / random    {statistics.median(pairs):.3f} (from {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
