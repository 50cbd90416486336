"""What trains together: one device, several in one machine, or several machines.

`tf.distribute` is the engine. Each worker is one process; TF_CONFIG tells it who the others are, as
TensorFlow's guide to MultiWorkerMirroredStrategy says. Every worker goes through the same windows
and makes only its own rows of them; sums over a batch are sums over all workers (see update.py).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError

if TYPE_CHECKING:
    from edgecrnn.train.data.batches import Window
    from edgecrnn.train.fit import Trainee


@dataclass(frozen=True)
class Machines:
    """Who trains: `worker` of `workers` processes, each with `devices` of its own."""

    strategy: Any
    worker: int = 0
    workers: int = 1
    devices: int = 1

    @property
    def chief(self) -> bool:
        """Whether this process writes the checkpoints and the run."""
        return self.worker == 0

    def rows(self, batch: int) -> range:
        """The rows of a batch that are this worker's.

        Raises:
            EdgecrnnError: the batch does not divide.
        """
        parts = self.workers * self.devices
        if batch % parts:
            raise EdgecrnnError(
                f"batch: expected a number that {parts} devices can share evenly, got {batch}; "
                f"try --batch {-(-batch // parts) * parts}"
            )
        share = batch // self.workers
        return range(self.worker * share, (self.worker + 1) * share)

    def step(
        self, trainee: Trainee, compiled: Any, window: Window, states: dict[str, Any] | None
    ) -> tuple[Any, dict[str, Any]]:
        """One compiled step over this worker's rows: (sums float32 [3] over all, new states).

        Raises:
            EdgecrnnError: another worker is gone.
        """
        import tensorflow as tf

        share = len(window.frames) // self.devices
        values = (window.frames, window.targets, window.weights, window.reset)
        try:
            if states is None:
                states = self.strategy.run(lambda: trainee.zero_states(share))
            sums, states = compiled(*(self._spread(value, share) for value in values), states)
            return np.asarray(self.strategy.experimental_local_results(sums)[0]), states
        except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError,
                tf.errors.DeadlineExceededError, tf.errors.CancelledError) as error:  # fmt: skip
            if self.workers == 1:
                raise
            raise EdgecrnnError(
                f"worker {self.worker}: expected {self.workers} workers until the end, lost one "
                f"({str(error).strip().splitlines()[0][:120]}); start all of them again with "
                "--resume"
            ) from error

    def _spread(self, value: Any, share: int) -> Any:
        """The value's rows on the devices of this worker."""
        if self.devices == self.workers == 1:
            return value
        import tensorflow as tf

        def own(device: Any) -> Any:
            first = device.replica_id_in_sync_group % self.devices * share
            return tf.constant(value[first : first + share])

        return self.strategy.experimental_distribute_values_from_function(own)


class _Here:
    """The one device of a process that trains alone; TensorFlow is asked when it is used."""

    def __getattr__(self, name: str) -> Any:
        import tensorflow as tf

        return getattr(tf.distribute.get_strategy(), name)


ALONE = Machines(_Here())


def is_chief() -> bool:
    """Whether this process is to write the run, by TF_CONFIG; asked before TensorFlow is there."""
    said = os.environ.get("TF_CONFIG", "")
    return not said or _place(said)[0] == 0


def join_machines() -> Machines:
    """The machines of TF_CONFIG, or all GPUs of this one; waits for the others to come up.

    To be called before anything else is asked of TensorFlow.

    Raises:
        EdgecrnnError: TF_CONFIG is not what it should be.
    """
    import tensorflow as tf

    said = os.environ.get("TF_CONFIG", "")
    if said:
        worker, workers = _place(said)
        if workers > 1:
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
            devices = strategy.num_replicas_in_sync // workers
            return Machines(strategy, worker, workers, devices)
    gpus = tf.config.list_logical_devices("GPU")
    if len(gpus) > 1:
        return Machines(tf.distribute.MirroredStrategy(), devices=len(gpus))
    return ALONE


def _place(said: str) -> tuple[int, int]:
    """(which worker this is, of how many), as TF_CONFIG says; the chief comes first."""
    try:
        config = json.loads(said)
        cluster, task = config["cluster"], config["task"]
        chiefs, workers = cluster.get("chief", []), cluster.get("worker", [])
        index = int(task["index"]) + (len(chiefs) if task["type"] == "worker" else 0)
        if task["type"] not in ("chief", "worker") or not 0 <= index < len(chiefs) + len(workers):
            raise ValueError(f"no {task['type']} {task['index']} in the cluster")
        return index, len(chiefs) + len(workers)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EdgecrnnError(
            'TF_CONFIG: expected {"cluster": {"worker": ["host:port", ...]}, "task": {"type": '
            f'"worker", "index": 0}}}}, got {error!r}; see docs/training-on-many-machines.md'
        ) from error
