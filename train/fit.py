"""The training loop: windows of endless streams, the LSTM's state carried from one to the next.

Truncated back-propagation through time (Williams and Peng, 1990): gradients stop at a window's
start, the state does not. So the state has been where a stream takes it before the model meets one.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.averaging import WeightAverage
from edgecrnn.train.checkpoint import Progress, read_checkpoint, write_checkpoint
from edgecrnn.train.data.batches import Window
from edgecrnn.train.machines import ALONE, Machines
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tasks import Task
from edgecrnn.train.update import build_optimizer, judge_step, update_step

Windows = Callable[[int], Iterator[Window]]
_Step = Callable[[Window, dict[str, Any] | None], tuple[Any, dict[str, Any]]]


class Trainee(Protocol):
    """What can be fitted: a network, or the baseline without memory."""

    @property
    def task(self) -> Task:
        """What is learned."""

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""

    @property
    def dropout_seed(self) -> Any:
        """The variable that dropout draws its seeds from."""

    def zero_states(self, batch: int) -> dict[str, Any]:
        """The state at the start of a stream, float32 [batch, ...] by name."""

    def __call__(
        self, frames: Any, states: Mapping[str, Any], training: bool
    ) -> tuple[Any, dict[str, Any]]:
        """float32 [batch, time, h, w, channels] to (logits [batch, time, classes], states)."""

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, time], logits [batch, time, classes], new states) of a training step."""


@dataclass(frozen=True)
class Epoch:
    """One line of the history. `waiting` is the share of the time spent on waiting for data."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    samples_per_second: float
    waiting: float


@dataclass(frozen=True)
class Fitted:
    """What fitting gives; the trainee holds the best weights."""

    history: tuple[Epoch, ...]
    best_epoch: int
    interrupted: bool


def fit(
    trainee: Trainee,
    windows: Windows,
    validation: Windows,
    steps: int,
    settings: TrainSettings,
    checkpoint: Path,
    resume: bool = False,
    on_step: Callable[[int, int, float], None] = lambda epoch, step, loss: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    machines: Machines = ALONE,
    items: int = 0,
) -> Fitted:
    """Fit `trainee` and leave it with the weights of a good epoch, by the validation streams.

    What is judged and left is the average of the weights (see averaging.py). The best epoch is the
    latest of all that cannot be told from the one with the highest score.

    Args:
        trainee: what is fitted, its weights fresh.
        windows: epoch number to that epoch's training windows.
        validation: the same for the validation windows (asked for epoch 0 only).
        steps: windows in an epoch, for the schedule.
        settings: the choices.
        checkpoint: file that every epoch is written to, whole; `resume` goes on from it.
        resume: go on from `checkpoint`, with the result that an uninterrupted run would have had.
        on_step: called with (epoch, step, loss) as it goes.
        on_epoch: called with each finished epoch.
        machines: that train together, each with its own rows of the windows; the chief's
            checkpoint is the one of all.
        items: clips or pictures that the validation windows show, which say how exact their score
            is; 0: wholly.

    Raises:
        EdgecrnnError: the loss is not finite; the last good weights stay in the checkpoint.
        KeyboardInterrupt: before an epoch was done; the trainee has the weights that it came with.
    """
    optimizer = build_optimizer(trainee, settings, steps)
    average = WeightAverage(trainee.weights, settings.average * settings.epochs * steps)
    learn = functools.partial(
        machines.step, trainee, update_step(trainee, optimizer, settings, machines, average)
    )
    judge = functools.partial(machines.step, trainee, judge_step(trainee, machines))
    variables = [
        *trainee.weights, *optimizer.variables, trainee.dropout_seed, *average.variables,
    ]  # fmt: skip
    progress = Progress(0, -1, (), _values(trainee.weights))
    if resume and checkpoint.exists():
        progress = read_checkpoint(checkpoint, variables)
    history = [Epoch(**line) for line in progress.history]
    best, best_epoch = progress.best, progress.best_epoch
    interrupted = False
    try:
        coming = None  # the next epoch's windows
        for epoch in range(progress.epoch, settings.epochs):
            # Asked before an epoch, so that a training that had stopped stops when it is resumed.
            if settings.patience and epoch - 1 - _highest(history) >= settings.patience:
                break
            started = time.perf_counter()
            trained = _train_epoch(
                learn,
                coming or windows(epoch),
                functools.partial(on_step, epoch),
                machines.workers,
            )
            # Asked for now, so that the first of them are there after the validation.
            coming = windows(epoch + 1) if epoch + 1 < settings.epochs else None
            if not np.isfinite(trained.loss):
                raise EdgecrnnError(
                    f"loss: expected a number, got {trained.loss} in epoch {epoch + 1}; the last "
                    "good weights are kept; lower --learning-rate and train with --resume"
                )
            with average.shown():
                val_loss, val_accuracy = _validate(judge, validation(0))
                judged = _values(trainee.weights)
            line = Epoch(
                epoch + 1, trained.loss, trained.accuracy, val_loss, val_accuracy,
                float(keras.ops.convert_to_numpy(optimizer.learning_rate)),
                time.perf_counter() - started, trained.samples / trained.seconds,
                trained.waited / trained.seconds,
            )  # fmt: skip
            history.append(line)
            highest = history[_highest(history)].val_accuracy
            if val_accuracy >= highest - standard_error(highest, items):
                best, best_epoch = judged, epoch
            done = Progress(epoch + 1, best_epoch, tuple(map(vars, history)), best)
            if machines.chief:
                write_checkpoint(checkpoint, done, variables)
            on_epoch(line)
    except KeyboardInterrupt:
        if best_epoch < 0:
            _assign(trainee.weights, best)
            raise
        interrupted = True
    _assign(trainee.weights, best)
    return Fitted(tuple(history), best_epoch + 1, interrupted)


def standard_error(share: float, items: int) -> float:
    """Of a share that so many items have shown; 0 for 0 items.

    One right and one wrong are added (Agresti and Coull, 1998): 30 of 30 are no certainty.
    """
    if not items:
        return 0.0
    share = (share * items + 1) / (items + 2)
    return math.sqrt(share * (1 - share) / (items + 2))


def _highest(history: list[Epoch]) -> int:
    """The place of the epoch with the highest validation score, and of these the least loss."""
    scores = [(line.val_accuracy, -line.val_loss) for line in history]
    return max(range(len(scores)), key=scores.__getitem__, default=-1)


@dataclass(frozen=True)
class _Trained:
    loss: float
    accuracy: float
    samples: int
    seconds: float
    waited: float


def _train_epoch(
    learn: _Step, windows: Iterator[Window], on_step: Callable[[int, float], None], workers: int
) -> _Trained:
    """One pass; samples are the frames of all workers."""
    states: dict[str, Any] | None = None
    totals = np.zeros(3)
    samples, waited, step = 0, 0.0, 0
    started = time.perf_counter()
    while True:
        asked = time.perf_counter()
        window = next(windows, None)
        waited += time.perf_counter() - asked
        if window is None:
            break
        sums, states = learn(window, states)
        totals += sums
        samples += window.weights.size * workers
        step += 1
        on_step(step, totals[0] / max(totals[2], 1.0))
    seconds = time.perf_counter() - started
    counted = max(totals[2], 1.0)
    return _Trained(totals[0] / counted, totals[1] / counted, samples, seconds, waited)


def _validate(judge: _Step, windows: Iterator[Window]) -> tuple[float, float]:
    """Weighted mean loss and accuracy over the validation streams, each from a zero state."""
    states: dict[str, Any] | None = None
    totals = np.zeros(3)
    for window in windows:
        sums, states = judge(window, states)
        totals += sums
    counted = max(totals[2], 1.0)
    return float(totals[0] / counted), float(totals[1] / counted)


def _assign(variables: list[Any], values: tuple[Any, ...]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _values(variables: list[Any]) -> tuple[Any, ...]:
    """Copies as NumPy arrays."""
    return tuple(np.array(keras.ops.convert_to_numpy(variable)) for variable in variables)
