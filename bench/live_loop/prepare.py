"""What every contender is given: the model, frames, and what its own tools need."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import cv2
import numpy as np

from edgecrnn.convert.calibrate import roll_out
from edgecrnn.convert.conversion import convert
from edgecrnn.convert.from_run import run_subject
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.devices.profile import load_profile
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.interpreter import make_interpreter
from edgecrnn.train.data.store import DataSettings, load
from edgecrnn.train.network.network import build_network, network_of, step_model
from edgecrnn.train.run_folder import load_model, read_record
from edgecrnn.train.tensorflow_start import start_tensorflow

_FRAMES = 240  # 640x480, as a camera gives them
VARIANT = "int8-mixed"


def prepare(run: Path, data: Path, out: Path, small: bool = False) -> None:
    """Write `out`: model.edgecrnn, model.tflite, frames.npy, and what makes the ONNX model.

    Frames are 640x480, or where `small` as the model reads them: then nothing is resized.
    """
    out.mkdir(parents=True, exist_ok=True)
    record = read_record(run)
    loaded = load(
        data,
        record.preprocessing,
        DataSettings(
            frame_rate=record.frame_rate,
            shortest=record.train.window if record.kind == "clips" else 1,
            seed=record.data.split_seed,
        ),
    )
    settings = ConvertSettings(check=500, calibration_frames=200)
    subject = run_subject(run, record, loaded, settings)
    convert(subject, load_profile("linux-x86_64"), out / "model.edgecrnn", settings)
    bundle = open_bundle(out / "model.edgecrnn")
    (out / "model.tflite").write_bytes(bundle.read(f"{VARIANT}.tflite"))
    (out / "float32.tflite").write_bytes(bundle.read("float32.tflite"))
    engine = Engine(bundle.read("float32.tflite"), record.labels, "float32")
    states = {name: list(value.shape) for name, value in engine.zero_state().items()}
    samples = roll_out(engine, subject.calibration[:200])
    np.savez(
        out / "calibration.npz",
        **{name: np.concatenate([each[name] for each in samples]) for name in samples[0]},
    )
    frames = loaded.splits["test"].frames[:_FRAMES]
    code = cv2.COLOR_RGB2BGR if frames.shape[-1] == 3 else cv2.COLOR_GRAY2BGR
    images = [cv2.cvtColor(frame, code) for frame in frames]
    if not small:
        images = [cv2.resize(image, (640, 480)) for image in images]
    np.save(out / "frames.npy", np.stack(images))
    # tf2onnx knows no addition that is bounded; the bound is put back behind it.
    network = network_of(load_model(run), record.network)
    free = build_network(
        dataclasses.replace(record.network, cell_clip=0.0), network.frame_shape, len(record.labels)
    )
    for weight, value in zip(free.weights, network.weights, strict=True):
        weight.assign(value)
    unbounded = to_float_tflite(step_model(free))
    (out / "unbounded.tflite").write_bytes(unbounded)
    (out / "tensors.json").write_text(json.dumps(_tensors(unbounded)))
    facts = {
        "variant": VARIANT,
        "height": record.preprocessing.height,
        "width": record.preprocessing.width,
        "states": states,
        "cell_clip": record.network.cell_clip,
        "labels": record.labels,
        "sequence": record.sequence,
    }
    (out / "facts.json").write_text(json.dumps(facts, indent=1))


def _tensors(model: bytes) -> dict[str, str]:
    """The signature's names by the tensors' own, which is what tf2onnx goes by."""
    runner = make_interpreter(model).get_signature_runner()
    both = {**runner.get_input_details(), **runner.get_output_details()}
    return {detail["name"]: name for name, detail in both.items()}


if __name__ == "__main__":
    start_tensorflow()
    prepare(*map(Path, sys.argv[1:4]), small=sys.argv[4:] == ["small"])
