"""The step graph of a run as a float32 `.tflite` with a named signature.

The converter runs in a process of its own: some models make it die, and a death there becomes a
sentence here.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from edgecrnn.convert.refusal import refused_layers
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.own_module import module_words

SIGNATURE = "step"


class Conversion:
    """A conversion under way; `result` waits for it. Start it early: it takes seconds."""

    def __init__(self, model: Path):
        self._folder = tempfile.TemporaryDirectory(prefix="edgecrnn-")
        self._out = Path(self._folder.name) / "step.tflite"
        self._model = model
        words = [str(model), str(self._out), str(os.getpid())]
        command = module_words("edgecrnn.convert.graph", *words)
        # What it writes meanwhile lies in the same folder, which goes with the result.
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": self._folder.name}
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        )

    def result(self) -> bytes:
        """The model's bytes.

        Raises:
            EdgecrnnError: the converter refused the model or died.
        """
        _, errors = self._process.communicate()
        try:
            if self._process.returncode == 0 and self._out.is_file():
                return self._out.read_bytes()
        finally:
            self._folder.cleanup()
        said = errors.decode(errors="replace")
        if os.strerror(errno.ENOSPC) in said:
            raise EdgecrnnError(
                f"{tempfile.gettempdir()}: expected space left on the disk for the converter, got "
                "none; free some, or name another folder in TMPDIR"
            )
        refused = refused_layers(said, self._model)
        if refused:
            raise EdgecrnnError(
                f"{self._model.name}: expected operators that TFLite has, got {refused}; "
                "replace the layer and train again"
            )
        lines = [line for line in said.splitlines() if line.strip()]
        last = lines[-1][:300] if lines else "no message"
        code = self._process.returncode
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        raise EdgecrnnError(
            f"{self._model}: expected a model that TFLite can express, but the converter {ended}: "
            f"{last}"
        )

    def stop(self) -> None:
        """End it where its result is no longer wanted."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()


def to_float_tflite(model: Any) -> bytes:
    """Convert a Keras step model, batch 1, inputs and outputs by name.

    Args:
        model: Keras model with a dictionary of inputs and a dictionary of outputs.
    """
    import keras
    import tensorflow as tf

    specs = {
        tensor.name: tf.TensorSpec((1, *tensor.shape[1:]), tf.float32, name=tensor.name)
        for tensor in model.inputs
    }
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        name=SIGNATURE, fn=lambda inputs: model(inputs, training=False), input_signature=[specs]
    )
    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        return bytes(converter.convert())


def check_weights(
    model: Any, where: str, mend: str = "train again with a lower --learning-rate"
) -> None:
    """Refuse NaN and infinity: no range holds them, and every answer would be theirs.

    Args:
        model: a Keras model.
        where: it came from.
        mend: what a person can do.

    Raises:
        EdgecrnnError: a weight is not finite; the layer is named.
    """
    import keras
    import numpy as np

    for weight in model.weights:
        values = keras.ops.convert_to_numpy(weight)
        if not np.isfinite(values).all():
            raise EdgecrnnError(
                f"{where}: expected finite weights, got NaN or infinity in {weight.path}; {mend}"
            )


def _main(model: Path, out: Path, parent: int) -> None:
    from edgecrnn.train.run_folder import load_model
    from edgecrnn.train.tensorflow_start import start_tensorflow

    start_tensorflow()
    from edgecrnn.convert.foreign import gru  # noqa: F401  # registers the layer

    if os.getppid() == parent:
        out.write_bytes(to_float_tflite(load_model(model.parent, model.name)))
    if os.getppid() != parent:
        # It was killed: nobody else will clear up.
        shutil.rmtree(out.parent, ignore_errors=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
