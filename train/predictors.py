"""Run and bundle behind the one interface that evaluation asks: frames and state in, scores out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import Engine, load_engine
from edgecrnn.train.run_folder import BASELINE, RunRecord, load_model
from edgecrnn.train.tensorflow_start import start_tensorflow

Frames = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
# Pictures read at once; bounds the memory of a prediction.
_BLOCK = 64


@dataclass(frozen=True)
class BundlePredictor:
    """The interpreter, a frame at a time, as on the device."""

    engine: Engine

    @property
    def labels(self) -> tuple[str, ...]:
        """The bundle's labels."""
        return self.engine.labels

    def scores(self, frames: Frames, state: Any) -> tuple[Scores, Any]:
        """uint8 [time, h, w, channels] to float32 [time, classes]; state None is zero."""
        state = self.engine.zero_state() if state is None else state
        rows = []
        for frame in frames:
            row, state = self.engine.step(frame, state)
            rows.append(row)
        return np.stack(rows), state


@dataclass(frozen=True)
class KerasPredictor:
    """The run's network; for sequence time over any number of frames in one call."""

    labels: tuple[str, ...]
    function: Any
    zero_states: Any

    def scores(self, frames: Frames, state: Any) -> tuple[Scores, Any]:
        """uint8 [time, h, w, channels] to float32 [time, classes]; state None is zero."""
        state = self.zero_states() if state is None else state
        rows = []
        for start in range(0, len(frames), _BLOCK):
            block = np.ascontiguousarray(frames[start : start + _BLOCK])
            scores, state = self.function(block, state)
            rows.append(np.asarray(scores))
        return np.concatenate(rows), state


def bundle_predictor(bundle: Bundle, variant: str | None = None) -> BundlePredictor:
    """The bundle's variant of that name, or its preferred one."""
    return BundlePredictor(load_engine(bundle, variant))


def keras_predictor(run: Path, record: RunRecord) -> KerasPredictor:
    """The run's float model."""
    start_tensorflow()
    from edgecrnn.train.network.network import network_of

    network = network_of(load_model(run), record.network)
    return network_predictor(network, record.labels)


def network_predictor(network: Any, labels: tuple[str, ...]) -> KerasPredictor:
    """A network in memory."""
    import tensorflow as tf

    from edgecrnn.train.network.clip_graph import stream
    from edgecrnn.train.network.network import zero_states
    from edgecrnn.train.network.picture import picture
    from edgecrnn.train.tasks import task_of

    task = task_of(network.settings.task)
    if network.settings.sequence == "time":

        @tf.function(
            input_signature=[_frames_spec(network.frame_shape), _states_spec(network)],
            autograph=False,
        )
        def run_stream(frames: Any, states: Any) -> Any:
            logits, new = stream(network, tf.cast(frames, tf.float32), states)
            return task.scores(logits), new

        return KerasPredictor(labels, run_stream, lambda: zero_states(network, 1))

    @tf.function(input_signature=[_frames_spec(network.frame_shape), {}], autograph=False)
    def run_pictures(frames: Any, states: Any) -> Any:
        return task.scores(picture(network, tf.cast(frames, tf.float32))), states

    return KerasPredictor(labels, run_pictures, dict)


def baseline_predictor(run: Path, record: RunRecord) -> KerasPredictor | None:
    """The run's model without memory, or None where none was trained."""
    if not (run / BASELINE).is_file():
        return None
    import tensorflow as tf

    model = load_model(run, BASELINE)

    @tf.function(
        input_signature=[_frames_spec(tuple(model.inputs[0].shape[1:])), {}], autograph=False
    )
    def run_frames(frames: Any, states: Any) -> Any:
        return model({"frame": tf.cast(frames, tf.float32)})["scores"], states

    return KerasPredictor(record.labels, run_frames, dict)


def _frames_spec(frame_shape: tuple[int, ...]) -> Any:
    import tensorflow as tf

    return tf.TensorSpec((None, *frame_shape), tf.uint8)


def _states_spec(network: Any) -> Any:
    import tensorflow as tf

    from edgecrnn.train.network.network import state_shapes

    return {
        name: tf.TensorSpec((1, *shape), tf.float32)
        for name, shape in state_shapes(network).items()
    }
