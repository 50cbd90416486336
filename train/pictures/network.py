"""The network of a picture task, and how the training loop sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from edgecrnn.train.network.heads import build_head
from edgecrnn.train.network.settings import FilledSettings
from edgecrnn.train.network.trunk import build_trunk
from edgecrnn.train.pictures.adversary import Adversary
from edgecrnn.train.pictures.either import Either, own_answers
from edgecrnn.train.pictures.pair import Pair, output_name
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
    parts = [task.first, task.second] if isinstance(task, Pair) else [task]
    shapes = (
        task.head_shapes(settings, shape[2], classes)
        if isinstance(task, Pair)
        else [task.head_shape(settings, shape[2], classes)]
    )
    holes = any(form.form == "holes" for form in shapes)
    frame_shape = task.frame_shape(settings, shape)
    writers = tuple(
        form.form for part, form in zip(parts, shapes, strict=True) if part.HEAD == "picture"
    )
    trunk = build_trunk(frame_shape, network, holes, writers if len(parts) > 1 else ())
    answers = {
        output_name(part): build_head(part.HEAD, trunk, form)
        for part, form in zip(parts, shapes, strict=True)
    }
    # What a head hands out beside its answer.
    answers.update({name: trunk.made[name] for name in ("code",) if name in trunk.made})
    return keras.Model({"frame": trunk.frame}, answers, name="step")


def answers_of(task: PictureTask, outputs: Any) -> Any:
    """What the model put out, as the task takes it: one tensor, or of a pair a tuple of two."""
    if isinstance(task, Pair):
        return outputs[output_name(task.first)], outputs[output_name(task.second)]
    return outputs[output_name(task)]


def mapped(function: Callable[[Any], Any], answers: Any) -> Any:
    """The function of an answer, or of each of a pair's."""
    if isinstance(answers, tuple):
        return tuple(function(each) for each in answers)
    return function(answers)


@dataclass(frozen=True)
class Judging:
    """The task's loss, as the training loop asks for it."""

    kind: PictureTask
    settings: Any

    def loss(self, answers: Any, targets: Any, smoothing: float = 0.0) -> Any:
        """What each answer costs: [batch, 1]."""
        one, true = (mapped(lambda each: each[:, 0], both) for both in (answers, targets))
        return self.kind.loss(self.settings, one, true)[:, None]

    def right(self, answers: Any, targets: Any) -> Any:
        """Grows as the loss falls; its mean, which a few hopeless pictures hardly move, chooses."""
        return ops.exp(-self.loss(answers, targets))


@dataclass(frozen=True)
class PictureTrainee:
    """What is fitted: sequences of one picture, no state."""

    model: Any
    task: Any  # a Judging
    seeds: Any  # keras.random.SeedGenerator; only the adversary draws from it
    adversary: Adversary | None = None

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""
        return [*self.model.weights, *(self.adversary.model.weights if self.adversary else ())]

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        return self.weights

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
        outputs = self.model({"frame": frames[:, 0]}, training=training)
        answers = answers_of(self.task.kind, outputs)
        return mapped(lambda each: each[:, None], answers), {}

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, 1], answers, {}) of a training step."""
        answers, new = self(frames, states, True)
        # What layers ask for themselves, for example that a code be small.
        losses = self.task.loss(answers, targets) + sum(self.model.losses)
        if self.adversary is not None:
            made, true, labels = _shown(self.task.kind, answers, targets, self.adversary.classes)
            judged = self.adversary.losses(made, true, labels, self.seeds)[:, None]
            if isinstance(self.task.kind, Either):
                judged = ops.concatenate([judged, ops.zeros_like(judged)], axis=0)
            losses = losses + judged
        return losses, answers, new


def _shown(task: PictureTask, answers: Any, targets: Any, classes: int) -> tuple[Any, Any, Any]:
    """What an adversary is shown: made pictures, true ones, and what they show (or None)."""
    if isinstance(task, Either):
        answers, targets = own_answers(answers)[0], targets[0]
    elif isinstance(task, Pair):
        part = 0 if output_name(task.first) == "picture" else 1
        answers, targets = answers[part], targets[part]
    made, true = answers[:, 0], targets[:, 0]
    channels = made.shape[-1]
    labels = None
    if true.shape[-1] > channels and classes:
        labels = ops.one_hot(ops.cast(true[:, 0, 0, channels], "int32"), classes)
    return made, true[..., :channels], labels
