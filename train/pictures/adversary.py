"""A discriminator beside a picture task: a CRNN that tells made pictures from true ones.

The trunk of every picture task reads a picture; a head says how true it looks and, where the data
has classes, what it shows (an auxiliary classifier, Odena et al., 2017). The network is not asked
to please that head, which it does best by making one good picture for all of a class: it is asked
to make pictures whose features the discriminator finds like those of true ones (Salimans et al.,
2016). What tells pictures apart is what those features are. Both learn in the same step, each by
gradients of its own; the discriminator is not shipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from edgecrnn.train.network.settings import FilledSettings
from edgecrnn.train.network.trunk import build_trunk
from edgecrnn.train.tasks._energy import apart, energy_of_maps

# Levels of 255 of the noise that the discriminator is to overlook, and how much that weighs: the
# penalty of its slope at true pictures (Mescheder et al., 2018), taken by finite differences.
_STEP, _SLOPE = 5.0, 5.0
_APART = 0.3  # how far the features of two classes are held to be apart


@dataclass(frozen=True)
class Adversary:
    """The discriminator, and how much the network cares for it.

    Attributes:
        model: float32 [batch, height, width, channels] in 0..255 to [batch, 1 + classes] and maps
            of features at 1/2, 1/4 and 1/8 of the size.
        weight: of how unlike true pictures it finds made ones, beside the task's own loss.
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
        seen, fake, near = (self.model(each)[0] for each in (true, still, true + noise))
        # Hinge losses (Lim and Ye, 2017): what is told apart well enough costs nothing.
        own = ops.relu(1.0 - seen[:, 0]) + ops.relu(1.0 + fake[:, 0])
        own = own + _SLOPE * ops.square(seen[:, 0] - near[:, 0])
        if labels is not None:
            own = own + ops.categorical_crossentropy(labels, seen[:, 1:], from_logits=True)
        return own + self.weight * self._unlike(made, true, labels)

    def _unlike(self, made: Any, true: Any, labels: Any | None) -> Any:
        """How far the features of made pictures are from those of true ones, float32 [batch]."""
        # The network learns from a discriminator that holds still.
        frozen = [ops.stop_gradient(ops.convert_to_tensor(w)) for w in self.model.weights]
        ours, theirs = (self.model.stateless_call(frozen, [], x)[0][1:] for x in (made, true))
        if labels is not None:
            # No made picture has a true one of its own: it is how they are distributed that counts.
            number = ops.cast(ops.argmax(labels, axis=-1), "float32")[:, None]
            return energy_of_maps(ours, theirs, apart(number, _APART))
        cost: Any = 0.0
        for one, other in zip(ours, theirs, strict=True):
            scale = ops.stop_gradient(ops.mean(ops.abs(other)) + 1e-3)
            cost = cost + ops.mean(ops.abs(one - other), axis=(1, 2, 3)) / scale
        return cost


def build_adversary(
    shape: tuple[int, int, int], network: FilledSettings, classes: int, weight: float
) -> Adversary:
    """A fresh discriminator for pictures of that shape, of the network's own width."""
    trunk = build_trunk(shape, network)
    x = ops.concatenate([trunk.state, trunk.summary], axis=-1)
    answer = layers.Dense(1 + classes, name="truth")(x)
    outputs = [answer, *trunk.levels[1:]]
    return Adversary(keras.Model(trunk.frame, outputs, name="adversary"), weight, classes)
