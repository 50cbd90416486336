"""What does the average of the weights cost in training? Steps with it and without, in turn.

    python bench/weight_average.py [--sequence time] [--size 64x48] [--steps 40] [--turns 7]

Two networks of the same settings are updated on the same random windows, a turn of steps each,
one after the other; the first turn compiles and is left out. Prints the processor time a step
takes, medians over the turns, and the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

from edgecrnn.train.averaging import WeightAverage
from edgecrnn.train.machines import ALONE
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tensorflow_start import start_tensorflow

_CLASSES = 6


class NoAverage:
    """Stands where a WeightAverage does, and does nothing."""

    def follow(self, strategy: Any) -> None:
        """Leave it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequence", choices=("time", "columns"), default="time")
    parser.add_argument("--size", default="64x48")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--turns", type=int, default=7)
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    start_tensorflow()
    settings = TrainSettings(batch=args.batch)
    frames = settings.window if args.sequence == "time" else 1
    window = random_window(args.batch, frames, (height, width, 3))
    turns = {
        said: one_turn(args.sequence, settings, window, args.steps, averaged)
        for said, averaged in (("with the average", True), ("without", False))
    }
    spent: dict[str, list[float]] = {said: [] for said in turns}
    for _ in range(args.turns + 1):
        for said, turn in turns.items():
            began = time.process_time()
            turn()
            spent[said].append(1e3 * (time.process_time() - began) / args.steps)
    medians = {said: statistics.median(times[1:]) for said, times in spent.items()}
    for said, median in medians.items():
        print(f"{said:<18}{median:8.2f} ms of processor time a step (median of {args.turns} turns)")
    print(f"ratio             {medians['with the average'] / medians['without']:8.3f}")


def one_turn(
    sequence: str, settings: TrainSettings, window: tuple[Any, ...], steps: int, averaged: bool
) -> Any:
    """Updates of a fresh network, `steps` a call."""
    from edgecrnn.train.network.network import build_network
    from edgecrnn.train.network.trainee import network_trainee
    from edgecrnn.train.update import build_optimizer, update_step

    shape = window[0].shape[2:]
    network = build_network(NetworkSettings(sequence=sequence), shape, _CLASSES)
    trainee = network_trainee(network, _CLASSES, settings.guidance)
    optimizer = build_optimizer(trainee, settings, steps)
    average: Any = WeightAverage(trainee.weights, 100.0) if averaged else NoAverage()
    update = update_step(trainee, optimizer, settings, ALONE, average)
    kept: dict[str, Any] = trainee.zero_states(settings.batch)

    def turn() -> None:
        nonlocal kept
        for _ in range(steps):
            sums, kept = update(*window, kept)
        sums.numpy()

    return turn


def random_window(batch: int, frames: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """(frames, targets, weights, reset) of noise."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    labels = random.integers(0, _CLASSES, (batch, frames))
    return (
        tf.constant(random.integers(0, 256, (batch, frames, *shape), np.uint8)),
        tf.constant(np.eye(_CLASSES, dtype=np.float32)[labels]),
        tf.ones((batch, frames)),
        tf.zeros(batch),
    )


if __name__ == "__main__":
    main()
