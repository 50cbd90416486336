"""What a labelled frame costs: the loss that every classifier is trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgecrnn.train.tasks import Task


class Supervised:
    """A trainee whose loss is that of its task on its logits."""

    task: Task

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, time], logits [batch, time, classes], new states) of a training step."""
        logits, new = self(frames, states, True)  # type: ignore[operator]
        return self.task.loss(logits, targets, smoothing), logits, new
