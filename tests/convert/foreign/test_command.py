"""`edgecrnn convert MODEL.keras` in a process of its own, and the bundle that comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from keras import layers
from tests.convert.foreign.conftest import LABELS, small_cnn, stir
from tests.journey import edgecrnn

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.pictures import read_picture
from edgecrnn.runtime.preprocess import Preprocessing, prepare

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of pictures with a GRU both ways over their columns, and its labels."""
    folder = tmp_path_factory.mktemp("columns")
    x = keras.Input((16, 24, 3))
    y = layers.Conv2D(6, 3, strides=(2, 4), padding="same", activation="relu")(x)
    y = layers.Reshape((6, 48))(layers.Permute((2, 1, 3))(y))
    y = layers.Bidirectional(layers.GRU(6))(y)
    model = keras.Model(x, layers.Dense(2)(y))
    stir(model)
    model.save(folder / "columns.keras")
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    return folder


def convert(model: Path, data: Path, device: object, out: Path, *more: object) -> tuple[int, str]:
    done = edgecrnn(
        "convert", model, "--labels", model.parent / "labels.txt", "--calibration", data,
        "--device", device, "--out", out, *more,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def answers(bundle: Path, source: Path, variant: str) -> list[dict[str, float]]:
    done = edgecrnn("run", bundle, "--source", source, "--json", "--variant", variant)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["scores"] for line in done.stdout.splitlines()]


def test_pictures_from_keras_to_the_live_loop(
    columns: Path, pictures: Path, loose: Path, tmp_path: Path
) -> None:
    path, out = columns / "columns.keras", tmp_path / "bundle"
    code, said = convert(path, pictures, loose, out, "--pixels", "-1", "1")
    assert code == 0, said
    for sentence in (
        "pixels: -1 to 1, as --pixels says",
        "scores: the model ends in logits; a softmax is put behind them",
        "frames: pictures are resized to 24x16, other shapes stretched",
        "certificate for loose, over 20 held-out frames",
        f"bundle  {out}",
    ):
        assert sentence in said
    bundle = open_bundle(out)
    assert bundle.manifest.labels == LABELS
    certificate = json.loads(bundle.read("certificate.json"))
    assert certificate["variants"][0]["agreement"] == 1.0
    assert certificate["variants"][0]["left"] == {}
    assert certificate["data"]["rebuilt_difference"] < 1e-5
    assert certificate["data"]["labels"] == "the folders' names"
    # By Keras alone, from the pictures' files.
    model = keras.saving.load_model(path)
    folder = pictures / "bright"
    frames = [
        prepare(read_picture(file), Preprocessing(height=16, width=24))
        for file in sorted(folder.iterdir(), key=lambda file: int(file.stem))
    ]
    wanted = keras.ops.softmax(model(np.stack(frames) / np.float32(127.5) - 1)).numpy()
    got = answers(out, folder, "float32")
    assert len(got) == len(wanted) == 20
    rows = np.array([[scores[label] for label in LABELS] for scores in got])
    np.testing.assert_allclose(rows, wanted, atol=1e-3)
    assert rows.argmax(1).tolist() == wanted.argmax(1).tolist()
    mixed = np.array([list(scores.values()) for scores in answers(out, folder, "int8-mixed")])
    assert np.abs(mixed - wanted).max() < 0.05


def test_clips_become_a_stream_with_its_state(clips: Path, loose: Path, tmp_path: Path) -> None:
    x = keras.Input((8, 16, 24, 3))
    y = layers.TimeDistributed(layers.Rescaling(1 / 255))(x)
    y = layers.TimeDistributed(layers.Conv2D(4, 3, strides=3, activation="relu"))(y)
    y = layers.TimeDistributed(layers.Flatten())(y)
    y = layers.LSTM(5)(layers.GRU(6, return_sequences=True)(y))
    model = keras.Model(x, layers.Dense(2, activation="softmax")(y))
    stir(model)
    model.save(tmp_path / "clip.keras")
    (tmp_path / "labels.txt").write_text("flickers\nstill\n")
    out = tmp_path / "bundle"
    code, said = convert(
        tmp_path / "clip.keras", clips, loose, out, "--frame-rate", "10", "--check", "300"
    )
    assert code == 0, said
    assert "clips of 8, read one at a time with the state carried on" in said
    assert "of 8 held-out clips, each from a fresh state, the model names" in said
    bundle = open_bundle(out)
    assert (bundle.manifest.sequence, bundle.manifest.frame_rate) == ("time", 10.0)
    assert bundle.manifest.decision.warmup == 7
    certificate = json.loads(bundle.read("certificate.json"))
    assert certificate["frames"] == 300
    assert certificate["variants"][0]["left"] == {}
    # The eighth answer is the clip model's own on the first eight frames.
    clip = next((clips / "still").iterdir())
    import cv2

    capture = cv2.VideoCapture(str(clip))
    frames = [
        prepare(np.asarray(capture.read()[1]), Preprocessing(height=16, width=24)) for _ in range(8)
    ]
    capture.release()
    wanted = np.asarray(model(np.stack(frames)[None].astype(np.float32)))[0]
    got = answers(out, clip, "float32")[7]
    np.testing.assert_allclose([got["flickers"], got["still"]], wanted, atol=1e-3)


def test_what_is_missing_or_belongs_to_a_run_is_told(
    columns: Path, pictures: Path, tmp_path: Path
) -> None:
    path, out = columns / "columns.keras", tmp_path / "out"
    plain = ("--device", "linux-x86_64", "--out", out)
    labels, data = ("--labels", columns / "labels.txt"), ("--calibration", pictures)
    for arguments, sentence in (
        ((path, *plain, *labels), "--calibration: expected --labels FILE and --calibration DIR"),
        ((path, *plain, *data), "--labels: expected --labels FILE and --calibration DIR"),
        ((path, *plain, *labels, *data, "--data", pictures), "--data: expected none"),
        ((tmp_path, *plain, *labels), "--labels: expected none for a run"),
        ((tmp_path, *plain, "--pixels", "0", "1"), "--pixels: expected none for a run"),
        ((tmp_path / "no.keras", *plain, *labels, *data), "no.keras: expected a Keras model in"),
        ((path, *plain, *labels, *data, "--size", "96"), "--size: expected WIDTHxHEIGHT"),
    ):
        done = edgecrnn("convert", *arguments)
        assert done.returncode == 2, done.stderr
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    assert not out.exists()


def test_a_rate_for_pictures_and_none_for_clips(tmp_path: Path, clips: Path) -> None:
    from edgecrnn.convert.foreign.settings import ForeignSettings
    from edgecrnn.convert.foreign.subject import keras_subject
    from edgecrnn.convert.settings import ConvertSettings
    from edgecrnn.runtime.errors import EdgecrnnError

    x = keras.Input((4, 8, 8, 3))
    y = layers.LSTM(3)(layers.TimeDistributed(layers.Flatten())(x))
    keras.Model(x, layers.Dense(2)(y)).save(tmp_path / "clip.keras")
    small_cnn(layers.Dense(2)).save(tmp_path / "picture.keras")
    for name, rate, said in (
        ("clip", None, "say it with --frame-rate"),
        ("picture", 5.0, "--frame-rate: expected none, because picture.keras reads single"),
    ):
        foreign = ForeignSettings(pixels=(0, 1), frame_rate=rate)
        with pytest.raises(EdgecrnnError, match=said):
            keras_subject(
                tmp_path / f"{name}.keras", ("a", "b"), clips, foreign, ConvertSettings(), tmp_path
            )
