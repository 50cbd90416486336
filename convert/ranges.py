"""The range of values that each tensor of the float graph holds in use, which int8 steps divide."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgecrnn.convert.calibrate import Sample
from edgecrnn.convert.flatbuffer import unpack
from edgecrnn.convert.graph import SIGNATURE

# By tensor name: {"min": float32 array, "max": float32 array}, as the quantizer takes them.
Ranges = Mapping[str, Any]
# Signature names that hold pixels, and their largest value.
_PIXELS = {b"frame": 255.0, b"picture": 255.0, b"previous": 1.0, b"previous_out": 1.0}


def measure(model: bytes, samples: Sequence[Sample]) -> Ranges:
    """The range of each tensor over the samples.

    In the encoder it is the smallest and the largest value of all: the strongest answers of a
    filter are what the maximum over places reads, so none may be clipped. In the cell it is the
    moving average of each sample's: what lies beyond it is where sigmoid and tanh are flat, and a
    range that held it would leave the rest too few steps. (On the demo, before the cell state was
    bounded, all-integer int8 agreed with float on 99.2 % of the frames like this, 97.7 % with
    averages alone and 81 % with extremes alone.) A GRU's state is tanh's: nothing lies far out, so
    it takes extremes too (clips of three motions: 99.5 % of a stream, 98.6 % with its average).

    What is known is not measured: pixels are 0 to 255, so that their int8 is the uint8 moved by
    128. A state comes in as it went out, with one range, so that carrying it on rounds nothing.

    Args:
        model: the float32 `.tflite`.
        samples: calibration inputs by name, from `roll_out`.
    """
    from ai_edge_quantizer.utils import qsv_utils

    ranges = _calibrated(model, samples, qsv_utils.min_max_update)
    typical = _calibrated(model, samples, qsv_utils.moving_average_update)
    states = _states(model)
    # A state h without a c beside it is a GRU's.
    of_lstm = {t for name, pair in states.items() if f"c{name[1:]}" in states for t in pair}
    cell = {name for name in typical if "lstm_" in name or name in of_lstm}
    ranges.update({name: typical[name] for name in cell})
    ranges.update({came: ranges[went] for came, went in states.values() if went in ranges})
    return {**ranges, **_pixel_ranges(model)}


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep the quantizer's progress bars and warnings off the screen."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _calibrated(
    model: bytes, samples: Sequence[Sample], update: Callable[..., Any]
) -> dict[str, Any]:
    """Ranges of all tensors, each sample's joined by `update`."""
    from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe_manager

    everything = quantizer.Quantizer(bytearray(model))
    everything.add_static_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        activation_num_bits=8,
        weight_num_bits=8,
    )
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(everything.get_quantization_recipe())
    calibration = calibrator.Calibrator(
        bytearray(model),
        num_threads=1,
        mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=update,
    )
    with quietly():
        calibration.calibrate({SIGNATURE: list(samples)}, manager)
    return dict(calibration.get_model_qsvs())


def _states(model: bytes) -> dict[str, tuple[str, str]]:
    """By the state's name: the tensors that it comes in by and went out by; pixels left out."""
    parsed = unpack(model)
    signature, tensors = parsed.signatureDefs[0], parsed.subgraphs[0].tensors
    went = {entry.name: tensors[entry.tensorIndex].name.decode() for entry in signature.outputs}
    return {
        entry.name.decode(): (
            tensors[entry.tensorIndex].name.decode(),
            went[entry.name + b"_out"],
        )
        for entry in signature.inputs
        if entry.name not in _PIXELS and entry.name + b"_out" in went
    }


def _pixel_ranges(model: bytes) -> dict[str, Any]:
    parsed = unpack(model)
    signature, tensors = parsed.signatureDefs[0], parsed.subgraphs[0].tensors
    pixels = [
        (tensors[entry.tensorIndex], _PIXELS[entry.name])
        for entry in (*signature.inputs, *signature.outputs)
        if entry.name in _PIXELS
    ]
    return {
        tensor.name.decode(): {
            "min": np.zeros((1,) * len(tensor.shape), np.float32),
            "max": np.full((1,) * len(tensor.shape), highest, np.float32),
        }
        for tensor, highest in pixels
    }
