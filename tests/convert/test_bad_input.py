"""What cannot be converted is refused with a sentence, and nothing half-written is left."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from edgecrnn.convert.calibrate import check_calibration
from edgecrnn.convert.certificate import Reference
from edgecrnn.convert.conversion import convert
from edgecrnn.convert.graph import Conversion, check_weights
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.subject import Subject
from edgecrnn.devices.profile import load_profile
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings

LABELS = ("a", "b", "c")
FRAMES = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.keras"
    step_model(build_network(NetworkSettings(units=4, width=0.25), (16, 16, 3), 3)).save(path)
    return path


@pytest.fixture
def subject(model: Path) -> Subject:
    scores = np.tile(np.float32([0.2, 0.5, 0.3]), (len(FRAMES), 1))
    ones = np.ones(len(FRAMES), np.int64)
    return Subject(
        name="tiny", model=model, labels=LABELS, task="classify", sequence="time",
        preprocessing=Preprocessing(height=16, width=16), frame_rate=10.0,
        decision=DecisionSettings(), warmup=0, calibration=FRAMES, calibration_every=1,
        reference=lambda: Reference(FRAMES, ones, ones.astype(bool), scores), data={},
    )  # fmt: skip


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_named(value: float, model: Path) -> None:
    loaded = keras.saving.load_model(model)
    cell = loaded.get_layer("lstm_0")
    cell.bias.assign(np.append(np.zeros(cell.bias.shape[0] - 1), value))
    with pytest.raises(EdgecrnnError, match="finite weights, got NaN or infinity in lstm_0/bias"):
        check_weights(loaded, "model.keras")


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (FRAMES[:0], "got none"),
        (FRAMES[:, :8], "expected frames of 16x16 pixels, 3 channels, got 16x8, 3"),
        (np.full_like(FRAMES, 7), "40 frames of one colour throughout"),
    ],
)
def test_calibration_that_measures_nothing(subject: Subject, frames: np.ndarray, said: str) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        check_calibration(dataclasses.replace(subject, calibration=frames))
    assert said in str(caught.value)


def test_held_out_frames_that_all_lie_in_a_warm_up(subject: Subject, tmp_path: Path) -> None:
    held = subject.reference()
    none = dataclasses.replace(held, counted=np.zeros(len(FRAMES), bool))
    subject = dataclasses.replace(subject, warmup=50, reference=lambda: none)
    with pytest.raises(EdgecrnnError, match="check: expected frames beyond the warm-up of 50"):
        convert(subject, load_profile("linux-x86_64"), tmp_path / "b", ConvertSettings())
    assert list(tmp_path.iterdir()) == []


def test_what_is_required_fails_and_leaves_no_bundle(subject: Subject, tmp_path: Path) -> None:
    profile = dataclasses.replace(load_profile("linux-x86_64"), agreement=1.0)
    with pytest.raises(EdgecrnnError, match="int8: expected it within the bounds"):
        convert(subject, profile, tmp_path / "b", ConvertSettings(require="int8"))
    assert list(tmp_path.iterdir()) == []


def test_a_board_with_an_older_runtime_is_told_operator_and_mend(
    subject: Subject, tmp_path: Path
) -> None:
    profile = dataclasses.replace(
        load_profile("linux-x86_64"),
        runtime="tflite-runtime", runtime_version="2.14.0", agreement=0.0, accuracy_drop=100.0,
    )  # fmt: skip
    with pytest.raises(EdgecrnnError, match=r"FULLY_CONNECTED v12 needs ai-edge-litert .* 2\.14"):
        convert(subject, profile, tmp_path / "b", ConvertSettings(require="dynamic"))
    converted = convert(subject, profile, tmp_path / "b", ConvertSettings())
    assert set(converted.shipped) == {"int8-mixed", "int8", "float16", "float32"}


def test_a_recipe_named_as_another_is_refused(subject: Subject, tmp_path: Path) -> None:
    own = tmp_path / "int8.toml"
    own.write_text('decodes = "mine"\nkind = "int8"\ninteger = ["*"]\n')
    with pytest.raises(EdgecrnnError, match="expected different names, got 'int8' twice"):
        convert(
            subject, load_profile("linux-x86_64"), tmp_path / "b",
            ConvertSettings(recipes=(str(own),)),
        )  # fmt: skip


def test_a_converter_that_dies_becomes_a_sentence(model: Path) -> None:
    conversion = Conversion(model)
    os.kill(conversion._process.pid, signal.SIGKILL)
    with pytest.raises(EdgecrnnError, match="the converter was killed by signal 9"):
        conversion.result()


def test_a_kill_leaves_no_half_bundle(model: Path, tmp_path: Path) -> None:
    """A real process is killed while it writes the bundle; the old one stays whole."""
    out = tmp_path / "bundle"
    out.write_bytes(b"the old one")
    script = (
        "import sys, os, pathlib, signal\n"
        "import edgecrnn.runtime.files as files\n"
        "os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write_file(pathlib.Path(sys.argv[1]), b'x' * 100000)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(out)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert out.read_bytes() == b"the old one"


def test_a_conversion_that_is_no_longer_wanted_ends(model: Path) -> None:
    conversion = Conversion(model)
    conversion.stop()
    assert conversion._process.returncode == -signal.SIGKILL
