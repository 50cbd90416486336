"""Train, convert, evaluate and run on tiny data, in processes of their own, as a person does."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.journey import TRAIN, edgecrnn, write_clips, write_pictures

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError

pytestmark = pytest.mark.slow

SEQUENCES = ("time", "columns", "patches")


@pytest.fixture(scope="module", params=SEQUENCES)
def journey(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data`, the `run` trained on it, and the `bundle` made of it."""
    folder = tmp_path_factory.mktemp(request.param)
    write = write_clips if request.param == "time" else write_pictures
    data = write(folder / "data")
    more = ("--blocks", "2", "--sequence", request.param) if request.param == "patches" else ()
    aware = ("--quantization-aware", "--quantization-epochs", "1")
    trained = edgecrnn("train", data, "--out", folder / "run", *TRAIN, *aware, *more)
    assert trained.returncode == 0, trained.stderr
    # An untrained model's decisions are close calls; the profile is loose so that all are shipped.
    profile = folder / "loose.toml"
    own = (Path(__file__).parents[2] / "devices/profiles/linux-x86_64.toml").read_text()
    lines = [line for line in own.splitlines() if not line.startswith(("accuracy_", "agreement"))]
    profile.write_text("\n".join([*lines, "accuracy_drop = 100.0", "agreement = 0.0", ""]))
    made = edgecrnn("convert", folder / "run", "--device", profile, "--out", folder / "bundle")
    assert made.returncode == 0, made.stderr
    return folder


def test_the_run_holds_what_later_steps_read(journey: Path) -> None:
    assert {"model.keras", "baseline.keras", "run.json", "report.html"} <= {
        path.name for path in (journey / "run").iterdir()
    }
    report = (journey / "run/report.html").read_text()
    assert "Float against int8" in report


def test_training_for_int8_comes_after_the_others(journey: Path) -> None:
    record = json.loads((journey / "run/run.json").read_text())
    assert len(record["history"]) == 2
    assert len(record["quantized_history"]) == 1
    # It starts where training ended, at a tenth of its step.
    rates = [line["learning_rate"] for line in record["quantized_history"]]
    assert max(rates) <= 0.1 * record["train"]["learning_rate"] * 1.001


def test_the_older_runtime_decides_alike(journey: Path, older_runtime: Path) -> None:
    """tflite-runtime 2.14 runs the bundle by the same command, in an environment of its own."""
    source = sorted((journey / "data").rglob("0.*"))[0]
    command = ["-m", "edgecrnn", "run", str(journey / "bundle"), "--source", str(source), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    pythons = (str(older_runtime), sys.executable)
    said = [
        subprocess.run(
            [python, *command], capture_output=True, text=True, check=True, env=environment
        )
        for python in pythons
    ]
    older, newer = ([json.loads(line) for line in one.stdout.splitlines()] for one in said)
    assert len(older) == len(newer) > 0
    for before, after in zip(older, newer, strict=True):
        for label, score in after["scores"].items():
            # The two round int8 differently by a few steps of 1/256.
            assert abs(before["scores"][label] - score) < 12 / 256


def test_run_and_bundle_are_judged_alike(journey: Path, tmp_path: Path) -> None:
    numbers = {}
    for model, variant in (("run", ()), ("bundle", ("--variant", "float32"))):
        said = tmp_path / f"{model}.json"
        done = edgecrnn("evaluate", journey / model, journey / "data", "--json", said, *variant)
        assert done.returncode == 0, done.stderr
        facts = json.loads(said.read_text())
        numbers[model] = (facts["clip"], facts["stream"], facts["confusion"])
    assert numbers["run"] == numbers["bundle"]


def test_every_variant_answers_its_golden_frames(journey: Path) -> None:
    bundle = open_bundle(journey / "bundle")
    golden = bundle.golden()
    for variant in bundle.manifest.variants:
        engine = load_engine(bundle, variant.name)
        state = engine.zero_state()
        for frame, expected in zip(golden["frames"], golden[variant.name], strict=True):
            scores, state = engine.step(frame, state)
            np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_variants_are_what_their_names_say(journey: Path) -> None:
    bundle = open_bundle(journey / "bundle")
    shipped = {variant.name for variant in bundle.manifest.variants}
    assert shipped == {"float32", "float16", "int8", "int8-mixed"}
    kinds = {"int8": np.int8, "int8-mixed": np.float32, "float16": np.float32}
    for name, kind in kinds.items():
        state = load_engine(bundle, name).zero_state()
        for part in ("h0", "c0"):
            if part in state:
                assert state[part].dtype == kind


def test_other_tools_find_the_labels(journey: Path) -> None:
    bundle = open_bundle(journey / "bundle")
    model = bundle.read("float32.tflite")
    assert b"M001" in model
    with zipfile.ZipFile(io.BytesIO(model)) as files:
        assert tuple(files.read("labels.txt").decode().split()) == bundle.manifest.labels


def test_the_certificate_says_what_every_variant_lost(journey: Path) -> None:
    certificate = json.loads(open_bundle(journey / "bundle").read("certificate.json"))
    assert [v["variant"] for v in certificate["variants"]] == [
        "float32", "int8", "int8-mixed", "float16",
    ]  # fmt: skip
    assert certificate["variants"][0]["agreement"] == 1.0
    assert all(v["operators"] and v["delegated"] > 0 for v in certificate["variants"])


def test_int8_pixels_are_the_uint8_ones(journey: Path) -> None:
    bundle = open_bundle(journey / "bundle")
    if bundle.manifest.sequence != "time":
        pytest.skip("a picture's pixels are not a state")
    engine = load_engine(bundle, "int8")
    frame = np.arange(16 * 16 * 3, dtype=np.uint32).reshape(16, 16, 3).astype(np.uint8)
    _, state = engine.step(frame, engine.zero_state())
    np.testing.assert_array_equal(state["previous"][0].view(np.uint8) ^ 0x80, frame)


def test_a_flipped_bit_is_refused(journey: Path, tmp_path: Path) -> None:
    whole = bytearray((journey / "bundle").read_bytes())
    sound, path = open_bundle(journey / "bundle"), tmp_path / "damaged"
    refused = 0
    for place in range(0, len(whole), max(1, len(whole) // 300)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            opened = open_bundle(path)
        except EdgecrnnError:
            refused += 1
        else:
            # The archive's own dates and the like: nothing that is read has changed.
            assert opened.files == sound.files
    assert refused > 200


def test_a_damaged_model_is_named(journey: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(journey / "bundle") as archive:
        archive.extractall(tmp_path / "folder")
    model = tmp_path / "folder/int8.tflite"
    model.write_bytes(model.read_bytes()[:-1] + b"!")
    done = edgecrnn("run", tmp_path / "folder", "--source", journey / "data")
    assert done.returncode == 2
    assert "expected int8.tflite with the SHA-256" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_bundle_of_other_data_and_an_output_that_exists(journey: Path) -> None:
    again = edgecrnn("convert", journey / "run", "--device", "linux-x86_64", "--out",
                     journey / "bundle")  # fmt: skip
    assert again.returncode == 2
    assert "--force" in again.stderr
    unknown = edgecrnn("convert", journey / "run", "--device", "raspberry-pi5", "--out",
                       journey / "other")  # fmt: skip
    assert unknown.returncode == 2
    assert "did you mean 'raspberry-pi-5'" in unknown.stderr
    nothing = edgecrnn("convert", journey / "data", "--device", "linux-x86_64", "--out",
                       journey / "other")  # fmt: skip
    assert nothing.returncode == 2
    assert "expected a run" in nothing.stderr
    assert not (journey / "other").exists()


def test_data_that_has_moved_or_changed_since_training(journey: Path, tmp_path: Path) -> None:
    command = ("convert", journey / "run", "--device", "linux-x86_64", "--out", tmp_path / "b")
    gone = edgecrnn(*command, "--data", tmp_path / "nowhere")
    assert gone.returncode == 2
    assert "--data DIR" in gone.stderr
    write = write_clips if "time" in journey.name else write_pictures
    changed = edgecrnn(*command, "--data", write(tmp_path / "more", per_class=11))
    assert changed.returncode == 2
    assert "expected the data that the run was trained on" in changed.stderr
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--window", "64"], "--window"),
        (["--size", "16"], "expected WIDTHxHEIGHT"),
        (["--sequence", "columns"], "expected time for a folder of clips"),
        (["--encoder", "ligth"], "did you mean 'light'"),
        (["--epochs", "0"], "--epochs: expected at least 1"),
        (["--resume", "--epochs", "3"], "no settings beside --resume"),
        (["--resume"], "with a checkpoint to go on from"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, clips: Path
) -> None:
    done = edgecrnn("train", clips, "--out", tmp_path / "run", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips") / "data")


def test_data_that_cannot_be_learned_from(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    one = write_pictures(tmp_path / "one")
    for path in (one / "dark").iterdir():
        path.unlink()
    (one / "dark").rmdir()
    for folder in (tmp_path / "empty", one, tmp_path / "missing"):
        done = edgecrnn("train", folder, "--out", tmp_path / "run")
        assert done.returncode == 2, folder
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "run").exists()


def test_an_output_that_exists_is_refused(tmp_path: Path, clips: Path) -> None:
    (tmp_path / "run").mkdir()
    done = edgecrnn("train", clips, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "--force" in done.stderr


def test_interrupting_keeps_the_best_weights_and_resume_goes_on(
    tmp_path: Path, clips: Path
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "edgecrnn", "train", str(clips), "--out", str(out), *TRAIN]
    command += ["--epochs", "60", "--no-baseline"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 200
        while not (out / "checkpoint.npz").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert f"{out / 'model.keras'}" in errors
    assert (out / "model.keras").is_file()
    done = edgecrnn("train", clips, "--out", out, "--resume")
    assert done.returncode == 0, done.stderr
    record = json.loads((out / "run.json").read_text())
    assert [line["epoch"] for line in record["history"]] == list(range(1, 61))
