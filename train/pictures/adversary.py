"""A discriminator beside a picture task: a CRNN that tells made pictures from true ones.

The trunk of every picture task reads a picture; a head says how true it looks and, where the data
has classes, what it shows (an auxiliary classifier, Odena et al., 2017). It is trained in the same
step as the network, each by gradients of its own, and is not shipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from edgecrnn.train.network.settings import FilledSettings
from edgecrnn.train.network.trunk import build_trunk

# Levels of 255 of the noise that the discriminator is to overlook, and how much that weighs: the
# penalty of its slope at true pictures (Mescheder et al., 2018), taken by finite differences.
_STEP, _SLOPE = 5.0, 5.0


@dataclass(frozen=True)
class Adversary:
    """The discriminator, and how much the network cares for it.

    Attributes:
        model: float32 [batch, height, width, channels] in 0..255 to [batch, 1 + classes].
        weight: of what it thinks of a made picture, beside the task's own loss.
        classes: how many it names; 0 for none.
    """

    model: Any
    weight: float
    classes: int

    def losses(self, made: Any, true: Any, labels: Any | None, seeds: Any) -> Any:
        """What each made picture costs both of them, float32 [batch].

        Args:
            made: by the network, float32 [batch, height, width, channels].
            true: the same many.
            labels: float32 [batch, classes] with a 1.0 each, or None.
            seeds: a `keras.random.SeedGenerator`.
        """
        still = ops.stop_gradient(made)
        noise = keras.random.normal(ops.shape(true), stddev=_STEP, seed=seeds)
        seen, fake, near = (self.model(each) for each in (true, still, true + noise))
        # Hinge losses (Lim and Ye, 2017): what is told apart well enough costs nothing.
        own = ops.relu(1.0 - seen[:, 0]) + ops.relu(1.0 + fake[:, 0])
        own = own + _SLOPE * ops.square(seen[:, 0] - near[:, 0])
        # The network learns from a discriminator that holds still.
        frozen = [ops.stop_gradient(ops.convert_to_tensor(w)) for w in self.model.weights]
        judged, _ = self.model.stateless_call(frozen, [], made)
        fooled = -judged[:, 0]
        if labels is not None:
            own = own + _told(seen, labels)
            fooled = fooled + _told(judged, labels)
        return own + self.weight * fooled


def build_adversary(
    shape: tuple[int, int, int], network: FilledSettings, classes: int, weight: float
) -> Adversary:
    """A fresh discriminator for pictures of that shape, of the network's own width."""
    trunk = build_trunk(shape, network)
    x = ops.concatenate([trunk.state, trunk.summary], axis=-1)
    answer = layers.Dense(1 + classes, name="truth")(x)
    return Adversary(keras.Model(trunk.frame, answer, name="adversary"), weight, classes)


def _told(answers: Any, labels: Any) -> Any:
    return ops.categorical_crossentropy(labels, answers[:, 1:], from_logits=True)
