"""A network that learns from a larger one: its answers are targets beside the labels.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015: both answers are
softened by a temperature, and the loss between them is scaled by its square, so that the gradients
of the two losses stay alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras import ops

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.network.network import Network, network_of
from edgecrnn.train.network.trainee import NetworkTrainee
from edgecrnn.train.run_folder import RunRecord, load_model, read_record
from edgecrnn.train.tasks import Task

_TEACHER = "teacher_"  # before the names of the teacher's states


@dataclass(frozen=True)
class DistilledTrainee:
    """A network as it is trained beside its teacher, which watches the same streams."""

    student: NetworkTrainee
    teacher: NetworkTrainee
    share: float  # of the loss that is the teacher's
    temperature: float

    @property
    def task(self) -> Task:
        """What is learned."""
        return self.student.task

    @property
    def weights(self) -> list[Any]:
        """All variables of the student, in a fixed order."""
        return self.student.weights

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        return self.student.trainable_weights

    @property
    def dropout_seed(self) -> Any:
        """The variable that dropout draws its seeds from."""
        return self.student.dropout_seed

    def zero_states(self, batch: int) -> dict[str, Any]:
        """The state at the start of a stream, of both; the teacher's as `teacher_<state>`."""
        watched = self.teacher.zero_states(batch)
        return {
            **self.student.zero_states(batch),
            **{f"{_TEACHER}{name}": value for name, value in watched.items()},
        }

    def __call__(
        self, frames: Any, states: Mapping[str, Any], training: bool
    ) -> tuple[Any, dict[str, Any]]:
        """The student alone; the teacher's states pass by."""
        own, watched = _parted(states)
        logits, new = self.student(frames, own, training)
        return logits, {**new, **watched}

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, time], logits [batch, time, classes], new states) of a training step."""
        own, watched = _parted(states)
        named = {name.removeprefix(_TEACHER): value for name, value in watched.items()}
        told, seen = self.teacher(frames, named, False)
        losses, logits, new = self.student.losses(frames, targets, own, smoothing)
        soft = self.task.scores(ops.stop_gradient(told) / self.temperature)
        learned = self.task.loss(logits / self.temperature, soft) * self.temperature**2
        losses = (1.0 - self.share) * losses + self.share * learned
        return losses, logits, {**new, **{f"{_TEACHER}{name}": v for name, v in seen.items()}}


def check_teacher(
    run: Path,
    labels: tuple[str, ...],
    task: str,
    preprocessing: Preprocessing,
    frame_rate: float | None,
    sequence: str,
) -> RunRecord:
    """The record of a run that can be a teacher of another with these facts.

    Raises:
        EdgecrnnError: it is no run, or it answers or sees something else than the student.
    """
    record = read_record(run)
    for name, wanted, found in _facts(record, labels, task, preprocessing, frame_rate, sequence):
        if wanted != found:
            raise EdgecrnnError(
                f"teacher: expected a run with the same {name} ({wanted}), got {found} in {run}; "
                "train both on the same data with the same frames"
            )
    return record


def read_teacher(run: Path) -> Network:
    """The network of a run that was checked."""
    return network_of(load_model(run), read_record(run).network)


def _facts(
    record: RunRecord,
    labels: tuple[str, ...],
    task: str,
    preprocessing: Preprocessing,
    frame_rate: float | None,
    sequence: str,
) -> list[tuple[str, object, object]]:
    return [
        ("labels", labels, record.labels),
        ("task", task, record.task),
        ("sequence", sequence, record.sequence),
        ("preprocessing", preprocessing, record.preprocessing),
        ("frame rate", frame_rate, record.frame_rate),
    ]


def _parted(states: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the student's states, the teacher's under their long names)."""
    own = {name: value for name, value in states.items() if not name.startswith(_TEACHER)}
    return own, {name: value for name, value in states.items() if name not in own}
