"""What a rebuilt model is compared with, and what unlabelled pictures are judged by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from keras import layers
from tests.convert.foreign.conftest import LABELS, small_cnn, stir
from tests.convert.foreign.test_material import write_flat

from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.subject import keras_subject
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.pictures import read_picture
from edgecrnn.runtime.preprocess import prepare

UNIT = ForeignSettings(pixels=(0.0, 1.0))


def test_without_labels_the_truth_is_what_keras_says(tmp_path: Path) -> None:
    model = small_cnn(layers.Dense(2))
    stir(model)
    model.save(tmp_path / "m.keras")
    folder = write_flat(tmp_path / "flat", 12)
    said: list[str] = []
    subject = keras_subject(
        tmp_path / "m.keras", LABELS, folder, UNIT, ConvertSettings(), tmp_path, said.append
    )
    reference = subject.reference()
    frames = np.stack(
        [prepare(read_picture(path), subject.preprocessing) for path in sorted(folder.iterdir())]
    )
    held = [next(i for i in range(12) if (frames[i] == one).all()) for one in reference.frames]
    wanted = keras.ops.softmax(model(frames[held] / np.float32(255))).numpy()
    np.testing.assert_allclose(reference.scores, wanted, atol=1e-5)
    np.testing.assert_array_equal(reference.labels, wanted.argmax(1))
    assert reference.accuracy == 1.0
    assert reference.counted.all()
    assert subject.data["labels"].startswith("none; accuracy is agreement")


def test_a_model_that_changes_when_it_is_rebuilt_is_refused(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong scaling of the graph's pixels is caught before anything is converted."""
    import edgecrnn.convert.foreign.step as step

    model = small_cnn(layers.Dense(2))
    stir(model)
    model.save(tmp_path / "m.keras")
    monkeypatch.setattr(step, "scaled", lambda frame, settings: frame * (2 / 255))
    with pytest.raises(EdgecrnnError, match="got scores that differ by 0"):
        keras_subject(tmp_path / "m.keras", LABELS, pictures, UNIT, ConvertSettings(), tmp_path)


def test_clips_count_once_the_model_has_seen_as_many_as_it_reads(
    clips: Path, tmp_path: Path
) -> None:
    x = keras.Input((8, 16, 24, 3))
    y = layers.GRU(4)(layers.TimeDistributed(layers.Flatten())(x))
    model = keras.Model(x, layers.Dense(2)(y))
    model.save(tmp_path / "m.keras")
    foreign = ForeignSettings(pixels=(0, 1), frame_rate=10.0)
    subject = keras_subject(
        tmp_path / "m.keras", ("flickers", "still"), clips, foreign,
        ConvertSettings(check=100), tmp_path,
    )  # fmt: skip
    reference = subject.reference()
    changes = np.flatnonzero(np.diff(reference.labels, prepend=-1))
    for start in changes:
        assert not reference.counted[start : start + 7].any()
        assert reference.counted[start + 7]
    # The eighth frame's score is the clip model's own; later ones have the state carried on.
    first = reference.frames[:8][None] / np.float32(255)
    wanted = keras.ops.softmax(model(first)).numpy()[0]
    np.testing.assert_allclose(reference.scores[7], wanted, atol=1e-5)
    assert (subject.warmup, subject.decision.warmup) == (7, 7)
