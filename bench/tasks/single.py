"""The encoder of a run on a single column or block of a picture: what the others are worth.

Which one is found out by the encoder with a head of its own for each of them; the one whose head is
right most often on validation pictures then has an encoder to itself, trained as long as the run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecrnn.runtime.settings import from_mapping
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.batches import picture_batches, picture_steps
from edgecrnn.train.data.store import Data
from edgecrnn.train.fit import fit
from edgecrnn.train.network.picture import picture_steps as steps_of
from edgecrnn.train.network.trainee import Baseline, build_baseline
from edgecrnn.train.run_folder import RunRecord

Scores = Callable[[np.ndarray], np.ndarray]
Value = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Single(Baseline):
    """A head for each of `places`, which are steps of the picture; the loss is their mean."""

    heads: tuple[Any, ...] = ()
    places: tuple[int, ...] = ()

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""
        return [*self.encoder.weights, *(w for head in self.heads for w in head.weights)]

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        own = (w for head in self.heads for w in head.trainable_weights)
        return [*self.encoder.trainable_weights, *own]

    def every(self, frames: Any, training: bool = False) -> Any:
        """float32 [batch, h, w, channels] in 0..255 to logits [batch, places, classes]."""
        from keras import ops

        steps = steps_of(self.encoder, self.settings, frames, training)
        pairs = zip(self.heads, self.places, strict=True)
        return ops.stack([head(steps[:, place]) for head, place in pairs], axis=1)

    def logits(self, frames: Any, training: bool = False) -> Any:
        """The mean of all heads: [batch, classes]."""
        from keras import ops

        return ops.mean(self.every(frames, training), axis=1)

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, 1], logits [batch, 1, classes], {}) of a training step."""
        from keras import ops

        logits = self.every(frames[:, 0], True)
        losses = self.task.loss(logits, ops.repeat(targets, len(self.heads), axis=1), smoothing)
        both = (ops.mean(each, axis=1, keepdims=True) for each in (losses, logits))
        return *both, {}


def best_single(
    record: RunRecord, data: Data, out: Path, frames: np.ndarray, value: Callable[..., float]
) -> tuple[int, int, Scores]:
    """(the step that says most on validation pictures, of how many, the scores of its encoder).

    Args:
        record: of the run, whose settings are taken.
        data: the pictures, split as they were for the run.
        out: folder for checkpoints; what is there is gone on with.
        frames: the validation pictures, uint8 [n, h, w, channels].
        value: of scores [n, classes], how right they are.
    """
    steps = _steps(record)
    scout = _fitted(record, data, tuple(range(steps)), out / "single-scout.npz")
    scores = _scores(scout)(frames)
    place = int(np.argmax([value(scores[:, step]) for step in range(steps)]))
    alone = _scores(_fitted(record, data, (place,), out / f"single-{place}.npz"))
    return place, steps, lambda given: alone(given)[:, 0]


def _steps(record: RunRecord) -> int:
    from keras import ops

    shape = record.preprocessing.frame_shape
    probe = build_baseline(record.network, shape, len(record.labels))
    return int(steps_of(probe.encoder, probe.settings, ops.zeros((1, *shape))).shape[1])


def _fitted(record: RunRecord, data: Data, places: tuple[int, ...], checkpoint: Path) -> Single:
    from keras import layers

    train, classes = record.train, len(record.labels)
    base = build_baseline(record.network, record.preprocessing.frame_shape, classes, train.seed)
    heads = tuple(layers.Dense(classes, name=f"head_{place}") for place in places)
    for head in heads:
        head.build(base.head.kernel.shape[:1])
    parts = {field.name: getattr(base, field.name) for field in dataclasses.fields(base)}
    single = Single(**parts, heads=heads, places=places)
    augment = from_mapping(Augmentation, record.augmentation, "augmentation")
    splits, mirrored = data.splits, augment.mirrored(record.labels)
    checkpoint.parent.mkdir(exist_ok=True)
    fit(
        single,
        lambda epoch: picture_batches(
            splits["train"], train.batch, train.seed, epoch, augment, train.balanced, mirrored
        ),
        lambda _: picture_batches(splits["val"], train.batch, train.seed, 0),
        picture_steps(splits["train"], train.batch),
        train,
        checkpoint,
        resume=True,
        items=len(splits["val"]),
    )
    return single


def _scores(single: Single) -> Scores:
    """uint8 [n, h, w, channels] to float32 [n, places, classes]."""

    def scores(frames: np.ndarray) -> np.ndarray:
        parts = [
            np.asarray(single.task.scores(single.every(part.astype(np.float32))))
            for part in np.array_split(frames, max(1, len(frames) // 64))
        ]
        return np.concatenate(parts)

    return scores
