"""Time and size of int8 against float32, side by side in one run: networks, then single layers.

    python bench/int8_against_float.py [--seconds 5]

Networks with random weights: time and size do not depend on what they learned. Each block of
invokes of one variant is followed by one of the other, and the ratio is taken pair by pair, so that
whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgecrnn.convert.calibrate import roll_out
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import _calibrated, measure
from edgecrnn.convert.recipe import load_recipe
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.interpreter import make_interpreter, runtime_version
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.tensorflow_start import start_tensorflow

LABELS = ("a", "b", "c", "d")
SIZE = (64, 64, 3)
NETWORKS = {
    "light (default)": NetworkSettings(),
    "light, width 2": NetworkSettings(width=2.0),
    "light, width 4": NetworkSettings(width=4.0),
    "document": NetworkSettings(encoder="document"),
}
VARIANTS = ("int8", "int8-mixed")
BLOCK = 50


def main() -> None:
    parser = argparse.ArgumentParser(description="int8 against float32: time and size")
    parser.add_argument("--seconds", type=float, default=5.0, help="a pair of variants (default 5)")
    seconds = parser.parse_args().seconds
    start_tensorflow()
    print(f"{_processor()}; {runtime_version()}; one thread; frames of 64x64\n")
    print(f"{'network':18} {'variant':11} {'float32':>9} {'int8':>9} {'faster':>22} {'smaller':>8}")
    for name, settings in NETWORKS.items():
        models = _models(settings)
        exact = Engine(models["float32"], LABELS, "float32")
        for variant in VARIANTS:
            ratios, floats, integers = _pairs(
                exact, Engine(models[variant], LABELS, variant), seconds
            )
            low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
            smaller = len(models["float32"]) / len(models[variant])
            print(
                f"{name:18} {variant:11} {floats:6.3f} ms {integers:6.3f} ms "
                f"{middle:5.2f} ({low:.2f} to {high:.2f}) {smaller:8.2f}"
            )
    _layer_table()


def _layer_table() -> None:
    """Where the time goes: each layer of the default network alone, as float32 and as int8."""
    import keras
    from ai_edge_quantizer.utils import qsv_utils
    from keras import layers

    def relu(cls: type, *arguments: object) -> object:
        return cls(*arguments, padding="same", activation="relu")

    table = {
        "conv 3x3/2, 6 to 16": ((64, 64, 6), relu(layers.Conv2D, 16, 3, 2)),
        "depthwise 3x3/2, 16": ((32, 32, 16), relu(layers.DepthwiseConv2D, 3, 2)),
        "conv 1x1, 16 to 32": ((16, 16, 16), relu(layers.Conv2D, 32, 1)),
        "conv 1x1, 32 to 64": ((8, 8, 32), relu(layers.Conv2D, 64, 1)),
        "conv 3x3, 64 to 64": ((16, 16, 64), relu(layers.Conv2D, 64, 3)),
        "dense, 1088 to 256": ((1088,), layers.Dense(256)),
    }
    print(f"\n{'layer alone':22} {'float32':>10} {'int8':>10} {'faster':>7}")
    for name, (shape, layer) in table.items():
        frame = keras.Input(shape, name="frame")
        model = to_float_tflite(keras.Model({"frame": frame}, {"scores": layer(frame)}))
        rng = np.random.default_rng(0)
        samples = [{"frame": rng.random((1, *shape), np.float32)} for _ in range(8)]
        ranges = _calibrated(model, samples, qsv_utils.min_max_update)
        pair = [make_interpreter(m) for m in (model, quantize(model, load_recipe("int8"), ranges))]
        times = np.array([[_invokes(one.invoke) for one in pair] for _ in range(40)])[4:]
        first, second = np.median(times, axis=0) * 1000
        ratio = np.median(times[:, 0] / times[:, 1])
        print(f"{name:22} {first:7.1f} us {second:7.1f} us {ratio:7.2f}")


def _models(settings: NetworkSettings) -> dict[str, bytes]:
    frames = np.random.default_rng(0).integers(0, 256, (60, *SIZE), dtype=np.uint8)
    model = to_float_tflite(step_model(build_network(settings, SIZE, len(LABELS))))
    ranges = measure(model, roll_out(Engine(model, LABELS, "float32"), frames))
    return {name: quantize(model, load_recipe(name), ranges) for name in ("float32", *VARIANTS)}


def _pairs(first: Engine, second: Engine, seconds: float) -> tuple[np.ndarray, float, float]:
    """(time of first / time of second for each pair of blocks, median ms of each)."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        times.append([_invokes(first.bare_invoke), _invokes(second.bare_invoke)])
    array = np.array(times[2:])
    return array[:, 0] / array[:, 1], *np.median(array, axis=0)


def _invokes(invoke: Callable[[], None]) -> float:
    """Milliseconds of one call, over a block of them."""
    started = time.perf_counter()
    for _ in range(BLOCK):
        invoke()
    return (time.perf_counter() - started) / BLOCK * 1000


def _processor() -> str:
    """Its name, and which integer dot products it has."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    flags = [flag for flag in ("avx2", "avx_vnni", "avx512_vnni", "asimddp") if f" {flag}" in text]
    return f"{named[0] if named else platform.machine()} ({', '.join(flags)})"


if __name__ == "__main__":
    main()
