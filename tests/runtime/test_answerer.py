"""A bundle whose model answers with a picture: opened, proven, run, refused where it must be."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.colors import picture_of
from tests.runtime.negative import SIDE, negative_model, write_negative

from edgecrnn.runtime.answerer import Answerer, reader_of
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.choice import EngineSettings, choose_engine
from edgecrnn.runtime.classifier import Classifier
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.seeds import seed_frame


@pytest.fixture
def negative(tmp_path: Path) -> Bundle:
    return open_bundle(write_negative(tmp_path / "negative.edgecrnn"))


def test_each_frame_is_answered_for_itself(negative: Bundle) -> None:
    chosen = choose_engine(negative, EngineSettings())
    answerer = reader_of(chosen.engine, negative.manifest, DecisionSettings(), live=False)
    assert isinstance(answerer, Answerer)
    image = picture_of("red", SIDE, SIDE)
    result = answerer(Frame(image, 7, 1.5, time.monotonic()))
    assert result is not None and result.told is not None
    assert (result.frame, result.time, result.label, result.scores) == (7, 1.5, "picture", ())
    assert np.array_equal(result.told.view(image), 255 - image)
    assert answerer.stepping == 0.0 and answerer.resets == 0


def test_what_is_made_of_noise_is_called_by_the_class_that_was_asked_for(tmp_path: Path) -> None:
    path = write_negative(tmp_path / "made.edgecrnn", task="generate", labels=["one", "two"])
    made = open_bundle(path)
    answerer = Answerer(choose_engine(made, EngineSettings()).engine, made.manifest, live=False)
    frames = [seed_frame((SIDE, SIDE, 3), label, np.random.default_rng(7)) for label in (1, 0, -1)]
    results = [answerer(Frame(frame, 0, 0.0, time.monotonic())) for frame in frames]
    assert [result.label for result in results if result] == ["two", "one", "picture"]


def test_labels_are_read_by_a_classifier(bundle: Bundle) -> None:
    engine = choose_engine(bundle, EngineSettings()).engine
    reader = reader_of(engine, bundle.manifest, bundle.manifest.decision, live=False)
    assert isinstance(reader, Classifier)


def test_golden_pictures_prove_it(tmp_path: Path) -> None:
    near = open_bundle(write_negative(tmp_path / "near.edgecrnn", answers=256.0))
    assert choose_engine(near, EngineSettings()).about.golden == pytest.approx(1 / 256, rel=0.01)
    far = open_bundle(write_negative(tmp_path / "far.edgecrnn", answers=200.0))
    with pytest.raises(EdgecrnnError, match="expected the scores of the bundle's golden frames"):
        choose_engine(far, EngineSettings())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answer": "hologram"}, "answer: expected one of .*got 'hologram'; install the edgecrnn"),
        (
            {"answer": "picture|hologram"},
            r"answer: .*got 'picture\|hologram'; install the edgecrnn",
        ),
        ({"answer": "picture|boxes|label"}, r"got 'picture\|boxes\|label'; install the edgecrnn"),
        ({"answer": "labels|boxes"}, r"got 'labels\|boxes'; install the edgecrnn"),
        ({"format": 4}, "format: expected 2 or 3, got 4; install the edgecrnn that made"),
        ({"format": 2}, "format: expected 2 or 3, got 2"),
        ({"answer": "labels", "format": 2}, "labels: expected at least two different names"),
    ],
)
def test_a_bundle_that_this_runtime_is_too_old_for(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    path = write_negative(tmp_path / "newer.edgecrnn", **changes)
    with pytest.raises(EdgecrnnError, match=said):
        open_bundle(path)


def test_a_runtime_from_before_frames_could_ask_for_either_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_negative(tmp_path / "either.edgecrnn", answer="picture|regions")
    assert open_bundle(path).manifest.answer == "picture|regions"
    # As it took answers apart until then.
    monkeypatch.setattr("edgecrnn.runtime.manifest.kinds_of", lambda name: tuple(name.split("+")))
    with pytest.raises(EdgecrnnError) as caught:
        open_bundle(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ") and "\n" not in said
    assert "got 'picture|regions'; install the edgecrnn that made the bundle" in said


def test_an_output_that_nobody_knows() -> None:
    with pytest.raises(EdgecrnnError, match="expected the signature"):
        Engine(negative_model("smell"), (), "float32")
