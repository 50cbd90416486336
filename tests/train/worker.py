"""One process of a training: `python worker.py DATA OUT LOSSES [resume] [die] [two-devices]`.

Who trains with it says TF_CONFIG. Writes the loss after each step into LOSSES. With `die` the
second worker is killed in its second epoch; with `two-devices` the processor stands for two.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.store import DataSettings, load
from edgecrnn.train.machines import Machines, join_machines
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.plan import Plan
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tensorflow_start import start_tensorflow
from edgecrnn.train.training import Watch, train


def two_devices() -> Machines:
    """As two GPUs of one machine would be, made of the processor."""
    import tensorflow as tf

    (processor,) = tf.config.list_physical_devices("CPU")
    one = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(processor, [one, one])
    return Machines(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), devices=2)


def main(data: Path, out: Path, losses: Path, words: list[str]) -> None:
    start_tensorflow()
    machines = two_devices() if "two-devices" in words else join_machines()
    plan = Plan(
        Preprocessing(16, 16),
        DataSettings(shortest=4, cache=str(out.parent / "cache")),
        NetworkSettings(units=4, width=0.25, dropout=0.0, motion=True),
        TrainSettings(epochs=3, batch=4, window=4, warmup=1, reset_every=3.0, baseline=False),
        Augmentation(flip="horizontal"),
    )
    seen: list[float] = []

    def on_step(part: str, epoch: int, epochs: int, step: int, steps: int, loss: float) -> None:
        seen.append(float(loss))
        if "die" in words and machines.worker == 1 and epoch == 1 and step == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    loaded = load(data, plan.preprocessing, plan.data)
    watch = Watch(on_step, lambda part, line: None)
    train(data, out, loaded, plan, "resume" in words, watch, machines)
    losses.write_text(json.dumps(seen))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
    except EdgecrnnError as error:
        print(f"edgecrnn: {error}", file=sys.stderr)
        sys.exit(2)
