"""The network of a picture task, and how the training loop sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from edgecrnn.train.network.heads import build_head
from edgecrnn.train.network.settings import FilledSettings
from edgecrnn.train.network.trunk import build_trunk
from edgecrnn.train.tasks import PictureTask


def build_picture_model(
    task: PictureTask,
    settings: Any,
    network: FilledSettings,
    shape: tuple[int, int, int],
    classes: int,
    seed: int = 0,
) -> Any:
    """The Keras model that trains and ships: `frame` to `picture`, `map`, `grid` or `vector`.

    Args:
        task: says which head.
        settings: the task's own.
        network: width, units, blocks and cell_clip.
        shape: of the pictures, (height, width, channels); the frame's may be another.
        classes: how many the data has.
        seed: of the weights.
    """
    keras.utils.set_random_seed(seed)
    trunk = build_trunk(task.frame_shape(settings, shape), network)
    form = task.head_shape(settings, shape[2], classes)
    answer = build_head(task.HEAD, trunk, form)
    # Pixels are known to be 0 to 255; what else a decoder makes of places is a map.
    pixels = form.form in ("pixels", "change")
    name = "map" if task.HEAD == "picture" and not pixels else task.HEAD
    return keras.Model({"frame": trunk.frame}, {name: answer}, name="step")


@dataclass(frozen=True)
class Judging:
    """The task's loss, as the training loop asks for it."""

    kind: PictureTask
    settings: Any

    def loss(self, answers: Any, targets: Any, smoothing: float = 0.0) -> Any:
        """What each answer costs: [batch, 1]."""
        return self.kind.loss(self.settings, answers[:, 0], targets[:, 0])[:, None]

    def right(self, answers: Any, targets: Any) -> Any:
        """Grows as the loss falls: the epoch with the least validation loss is kept."""
        return ops.exp(-self.loss(answers, targets))


@dataclass(frozen=True)
class PictureTrainee:
    """What is fitted: sequences of one picture, no state."""

    model: Any
    task: Any  # a Judging
    seeds: Any  # keras.random.SeedGenerator; nothing draws from it, checkpoints keep one

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""
        return list(self.model.weights)

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        return list(self.model.trainable_weights)

    @property
    def dropout_seed(self) -> Any:
        """The variable that would hold dropout's seeds."""
        return self.seeds.state

    def zero_states(self, batch: int) -> dict[str, Any]:
        """None."""
        return {}

    def __call__(
        self, frames: Any, states: Mapping[str, Any], training: bool
    ) -> tuple[Any, dict[str, Any]]:
        """float32 [batch, 1, h, w, channels] to (answers [batch, 1, ...], {})."""
        (answer,) = self.model({"frame": frames[:, 0]}, training=training).values()
        return answer[:, None], {}

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, 1], answers, {}) of a training step."""
        answers, new = self(frames, states, True)
        return self.task.loss(answers, targets), answers, new
