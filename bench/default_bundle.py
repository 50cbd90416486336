"""A bundle of the default network with random weights: time and memory do not depend on training.

    python bench/default_bundle.py default.edgecrnn [--width 4 --side 128]

The benches of the live loop measure it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.calibrate import roll_out
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import measure
from edgecrnn.convert.recipe import load_recipe
from edgecrnn.convert.versions import least_runtime, stamp_versions
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.manifest import FORMAT, Manifest, Variant
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.tensorflow_start import start_tensorflow

LABELS = ("left", "right", "up", "down")
VARIANT = "int8"


def default_bundle(path: Path, width: float = 1.0, side: int = 64) -> None:
    """Write it: int8, `side` pixels square, 10 frames a second; `width` multiplies its channels."""
    preprocessing, settings = Preprocessing(side, side), NetworkSettings(width=width)
    shape = preprocessing.frame_shape
    frames = np.random.default_rng(0).integers(0, 256, (60, *shape), dtype=np.uint8)
    exact = to_float_tflite(step_model(build_network(settings, shape, len(LABELS))))
    ranges = measure(exact, roll_out(Engine(exact, LABELS, "float32"), frames))
    model = stamp_versions(quantize(exact, load_recipe(VARIANT), ranges))
    need = least_runtime(model)
    file = f"{VARIANT}.tflite"
    manifest = Manifest(
        format=FORMAT,
        name="default",
        created="2026-01-01T00:00:00Z",
        made_by="bench/default_bundle.py",
        device="generic",
        task="classify",
        labels=LABELS,
        sequence="time",
        preprocessing=preprocessing,
        frame_rate=10.0,
        decision=DecisionSettings(smoothing=0.5, warmup=4),
        variants=(Variant(VARIANT, file, ("cpu",), need.operator, need.least),),
        files={file: "0" * 64},
    )
    golden = {"frames": frames[:16], VARIANT: _scores(Engine(model, LABELS, VARIANT), frames[:16])}
    write_bundle(path, manifest, {file: model}, {}, golden)


def _scores(engine: Engine, frames: np.ndarray) -> np.ndarray:
    state, scores = engine.zero_state(), []
    for frame in frames:
        one, state = engine.step(frame, state)
        scores.append(one)
    return np.stack(scores)


def main() -> None:
    """Write the bundle that is named."""
    parser = argparse.ArgumentParser(description="write a bundle of the default network")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--side", type=int, default=64)
    args = parser.parse_args()
    start_tensorflow()
    default_bundle(args.bundle, args.width, args.side)


if __name__ == "__main__":
    main()
