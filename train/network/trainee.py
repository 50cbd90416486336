"""Network and baseline as the training loop sees them: frames in, logits out, states carried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from edgecrnn.train.encoders import build_encoder, learned_weights
from edgecrnn.train.network.clip_graph import clip, read, remember
from edgecrnn.train.network.layers import dropout, frame_features, scaled
from edgecrnn.train.network.network import Network, step_features, zero_states
from edgecrnn.train.network.picture import picture, picture_steps, remember_steps
from edgecrnn.train.network.settings import FilledSettings, NetworkSettings
from edgecrnn.train.network.supervision import Supervised
from edgecrnn.train.tasks import Task, task_of


@dataclass(frozen=True)
class NetworkTrainee(Supervised):
    """The CRNN: windows of streams for sequence time, single pictures otherwise.

    A guide, where there is one, is a second head that names the class from the features alone
    (deep supervision, Lee et al., 2015): each frame's, or the mean over a picture's steps. What the
    encoder has to see, motion above all, reaches it past the memory then; learned through the
    memory alone it comes late or never. The guide is not part of the run.
    """

    network: Network
    guide: Any = None
    guidance: float = 0.0  # weight of the guide's loss beside the network's
    frozen: bool = False  # whether the encoder keeps what it learned elsewhere

    @property
    def task(self) -> Task:  # type: ignore[override]
        """What is learned."""
        return task_of(self.network.settings.task)

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""
        return self.network.weights + (self.guide.weights if self.guide else [])

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        weights = self.network.trainable_weights
        if self.frozen:
            kept = {id(weight) for weight in learned_weights(self.network.encoder)}
            weights = [weight for weight in weights if id(weight) not in kept]
        return weights + (self.guide.trainable_weights if self.guide else [])

    def losses(
        self, frames: Any, targets: Any, states: Mapping[str, Any], smoothing: float
    ) -> tuple[Any, Any, dict[str, Any]]:
        """(losses [batch, time], logits [batch, time, classes], new states) of a training step."""
        if self.guide is None:
            return super().losses(frames, targets, states, smoothing)
        network, learning = self.network, not self.frozen
        if network.settings.sequence == "time":
            seen, new = read(network, frames, states, training=learning)
            logits, memory = remember(network, seen, states, True)
        else:
            steps = picture_steps(network.encoder, network.settings, frames[:, 0], learning)
            logits, new, memory = remember_steps(network, steps, True)[:, None], {}, {}
            seen = ops.mean(steps, axis=1)[:, None]
        hints = self.guide(dropout(network, seen, True))
        losses = self.task.loss(logits, targets, smoothing)
        losses += self.guidance * self.task.loss(hints, targets, smoothing)
        return losses, logits, {**new, **memory}

    @property
    def dropout_seed(self) -> Any:
        """The variable that dropout draws its seeds from."""
        return self.network.seeds.state

    def zero_states(self, batch: int) -> dict[str, Any]:
        """The state at the start of a stream; {} for pictures."""
        return zero_states(self.network, batch)

    def __call__(
        self, frames: Any, states: Mapping[str, Any], training: bool
    ) -> tuple[Any, dict[str, Any]]:
        """float32 [batch, time, h, w, channels] to (logits [batch, time, classes], states)."""
        if self.network.settings.sequence == "time":
            return clip(self.network, frames, states, training)
        return picture(self.network, frames[:, 0], training)[:, None], {}


def network_trainee(network: Network, classes: int, guidance: float = 0.0) -> NetworkTrainee:
    """The network as it is trained, with a guide where one is asked for."""
    if not guidance:
        return NetworkTrainee(network)
    guide = layers.Dense(classes, name="guide")
    guide.build((None, None, step_features(network.encoder, network.settings)))
    return NetworkTrainee(network, guide, guidance)


@dataclass(frozen=True)
class Baseline(Supervised):
    """The same encoder without memory: each frame alone, or a picture's steps averaged."""

    settings: FilledSettings
    encoder: Any
    head: Any
    seeds: Any

    @property
    def task(self) -> Task:  # type: ignore[override]
        """What is learned."""
        return task_of(self.settings.task)

    @property
    def weights(self) -> list[Any]:
        """All variables, in a fixed order."""
        return [*self.encoder.weights, *self.head.weights]

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that training changes, in a fixed order."""
        return [*self.encoder.trainable_weights, *self.head.trainable_weights]

    @property
    def dropout_seed(self) -> Any:
        """Kept so that a checkpoint looks the same; the baseline drops nothing."""
        return self.seeds.state

    def zero_states(self, batch: int) -> dict[str, Any]:
        """None: it has no memory."""
        return {}

    def __call__(
        self, frames: Any, states: Mapping[str, Any], training: bool
    ) -> tuple[Any, dict[str, Any]]:
        """float32 [batch, time, h, w, channels] to (logits [batch, time, classes], {})."""
        flat = ops.reshape(frames, (-1, *frames.shape[2:]))
        logits = self.logits(flat, training)
        return ops.reshape(logits, (-1, frames.shape[1], logits.shape[-1])), {}

    def logits(self, frames: Any, training: bool = False) -> Any:
        """float32 [batch, h, w, channels] in 0..255 to logits [batch, classes]."""
        if self.settings.sequence == "time":
            return self.head(frame_features(self.encoder(scaled(frames), training=training)))
        steps = picture_steps(self.encoder, self.settings, frames, training)
        return self.head(ops.mean(steps, axis=1))


def build_baseline(
    settings: NetworkSettings, frame_shape: tuple[int, int, int], classes: int, seed: int = 0
) -> Baseline:
    """The baseline that goes with a network of these settings, weights fresh."""
    keras.utils.set_random_seed(seed)
    filled = settings.filled()
    height, width, channels = frame_shape
    if filled.sequence == "patches":
        height, width = height // filled.blocks, width // filled.blocks
    shape = (height, width, channels)
    encoder = build_encoder(filled.encoder, shape, filled.width, filled.weights)
    head = layers.Dense(classes, name="head")
    head.build((None, step_features(encoder, filled)))
    return Baseline(filled, encoder, head, keras.random.SeedGenerator(seed))


def baseline_model(baseline: Baseline, frame_shape: tuple[int, int, int]) -> Any:
    """The Keras model that is saved: `frame` to `scores`."""
    frame = keras.Input(frame_shape, name="frame")
    scores = baseline.task.scores(baseline.logits(frame))
    return keras.Model({"frame": frame}, {"scores": scores}, name="baseline")
