"""The compiled steps of training: an update and a judgement, over however many devices there are.

Everything that is summed over the frames of a batch is summed over all devices, so that an update
is the one that a single device would make of the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from edgecrnn.train.averaging import WeightAverage
from edgecrnn.train.machines import Machines
from edgecrnn.train.settings import TrainSettings

if TYPE_CHECKING:
    from edgecrnn.train.fit import Trainee

_SUM = tf.distribute.ReduceOp.SUM


def update_step(
    trainee: Trainee,
    optimizer: Any,
    settings: TrainSettings,
    machines: Machines,
    average: WeightAverage,
) -> Any:
    """The compiled update: (frames, targets, weights, reset, states) to (sums, new states).

    `average` follows each.
    """

    def one_device(
        frames: Any, targets: Any, weights: Any, reset: Any, states: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        devices = tf.distribute.get_replica_context()
        states = _after_reset(states, reset)
        counted = tf.maximum(devices.all_reduce(_SUM, tf.reduce_sum(weights)), 1.0)
        with tf.GradientTape() as tape:
            losses, logits, new = trainee.losses(
                tf.cast(frames, tf.float32), targets, states, settings.label_smoothing
            )
            loss = optimizer.scale_loss(tf.reduce_sum(losses * weights) / counted)
        gradients = tape.gradient(loss, trainee.trainable_weights)
        gradients = devices.all_reduce(_SUM, gradients)
        bound = optimizer.scale_loss(tf.constant(settings.clip_norm))
        gradients, _ = tf.clip_by_global_norm(gradients, bound)
        # The optimizer sums over the devices as well.
        gradients = [each / devices.num_replicas_in_sync for each in gradients]
        optimizer.apply(gradients, trainee.trainable_weights)
        sums = _sums(losses, trainee.task.right(logits, targets), weights)
        return devices.all_reduce(_SUM, sums), new

    return _compiled(one_device, machines, lambda: average.follow(machines.strategy))


def judge_step(trainee: Trainee, machines: Machines) -> Any:
    """The same without an update."""

    def one_device(
        frames: Any, targets: Any, weights: Any, reset: Any, states: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        logits, new = trainee(tf.cast(frames, tf.float32), _after_reset(states, reset), False)
        losses = trainee.task.loss(logits, targets)
        sums = _sums(losses, trainee.task.right(logits, targets), weights)
        return tf.distribute.get_replica_context().all_reduce(_SUM, sums), new

    return _compiled(one_device, machines)


def build_optimizer(trainee: Trainee, settings: TrainSettings, steps: int) -> Any:
    """AdamW; warmed up over half an epoch, then cosine or constant.

    float16 holds no small gradients: the loss is scaled up before, they are scaled back after.
    """
    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        warmup = max(1, steps // 2)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, settings.epochs * steps - warmup), alpha=0.01,
            warmup_target=settings.learning_rate, warmup_steps=warmup,
        )  # fmt: skip
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    # Decay pulls on matrices and filters, not on biases and normalisation.
    optimizer.exclude_from_weight_decay(var_list=[w for w in trainee.weights if len(w.shape) < 2])
    if settings.precision == "float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(trainee.trainable_weights)
    return optimizer


def _compiled(one_device: Any, machines: Machines, after: Callable[[], None] = lambda: None) -> Any:
    # No Python here hangs on a tensor's value: reading the source of all that is called, as
    # autograph does, is a sixth of a short training's processor time.
    @tf.function(reduce_retracing=True, autograph=False)
    def everywhere(*values: Any) -> Any:
        result = machines.strategy.run(one_device, args=values)
        after()
        return result

    return everywhere


def _after_reset(states: Mapping[str, Any], reset: Any) -> dict[str, Any]:
    """Zero the states of the rows whose stream starts again (reset 1.0)."""
    kept = {}
    for name, value in states.items():
        keep = tf.reshape(1.0 - reset, [-1] + [1] * (len(value.shape) - 1))
        kept[name] = tf.convert_to_tensor(value) * keep
    return kept


def _sums(losses: Any, right: Any, weights: Any) -> Any:
    """[sum of losses, of right frames, of weights]."""
    return tf.stack(
        [tf.reduce_sum(losses * weights), tf.reduce_sum(right * weights), tf.reduce_sum(weights)]
    )
