"""What a network learns; one file a task, its name is the file's name.

A task says how its logits become scores, what a frame costs while it is trained, and how much of a
frame is right. Targets are float32 [..., classes]: 1.0 for each label that is true, shares where
frames were mixed or a teacher was asked.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Protocol, cast

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest


class Task(Protocol):
    """A module of this package."""

    WHAT: str  # one line for a person

    def scores(self, logits: Any) -> Any:
        """Logits [..., classes] to scores in 0..1 of the same shape; part of what ships."""

    def loss(self, logits: Any, targets: Any, smoothing: float = 0.0) -> Any:
        """What each frame costs, float32 [...].

        Args:
            logits: float32 [..., classes].
            targets: float32 [..., classes].
            smoothing: share of the target that is spread over all answers.
        """

    def right(self, logits: Any, targets: Any) -> Any:
        """How much of each frame is right, 0 to 1, float32 [...]."""

    def apart(self, logits: Any, others: Any) -> Any:
        """How far two answers are from each other, float32 [...]; 0 where they are the same."""


def task_names() -> tuple[str, ...]:
    """The names there are: every module of this package, those for sharing apart."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def check_task(name: str) -> None:
    """Raise `EdgecrnnError` where there is no task of that name."""
    if name not in task_names():
        raise EdgecrnnError(
            f"task: expected one of {', '.join(task_names())}, got {name!r}"
            f"{nearest(name, task_names())}"
        )


def task_of(name: str) -> Task:
    """The task of that name.

    Raises:
        EdgecrnnError: there is none.
    """
    check_task(name)
    return cast(Task, importlib.import_module(f"{__name__}.{name}"))
