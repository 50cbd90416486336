"""From a frame to a result: what is remembered, and what is forgotten."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.classifier import Classifier
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine, load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.preprocess import prepare

Picture = Callable[..., Any]


def test_another_size_resets(bundle: Bundle, picture: Picture) -> None:
    classify = _classifier(bundle)
    for place in range(4):
        classify(_frame(picture("red"), place))
    result = classify(_frame(picture("green", 96, 128), 4))
    assert result is not None
    assert (classify.resets, result.label) == (1, "unknown")
    # Nothing of the red frames is left.
    assert result.scores[1] > 0.99


def test_time_that_goes_back_resets(bundle: Bundle, picture: Picture) -> None:
    classify = _classifier(bundle)
    for place in (50, 51, 52, 3, 4):
        classify(_frame(picture("red"), place))
    assert classify.resets == 1


def test_a_stream_is_the_same_frame_by_frame_as_in_the_engine(
    bundle: Bundle, picture: Picture
) -> None:
    engine = load_engine(bundle)
    classify, state = _classifier(bundle), engine.zero_state()
    for place, color in enumerate(["red", "red", "green", "blue", "blue"]):
        result = classify(_frame(picture(color), place))
        prepared = prepare(picture(color), bundle.manifest.preprocessing)
        scores, state = engine.step(prepared, state)
        assert result is not None
        assert result.scores == tuple(scores.tolist())


def test_scores_that_are_no_numbers_are_refused(bundle: Bundle, picture: Picture) -> None:
    class Broken(Engine):
        def step(self, frame: Any, state: Any) -> Any:
            scores, state = super().step(frame, state)
            return np.full_like(scores, np.nan), state

    variant = bundle.manifest.variants[0]
    engine = Broken(bundle.read(variant.file), bundle.manifest.labels, variant.name)
    classify = Classifier(engine, bundle.manifest, DecisionSettings(), live=False)
    with pytest.raises(EdgecrnnError, match="expected scores that are numbers"):
        classify(_frame(picture("red"), 0))


def _classifier(bundle: Bundle) -> Classifier:
    manifest = bundle.manifest
    decision = dataclasses.replace(manifest.decision, warmup=2)
    return Classifier(load_engine(bundle), manifest, decision, live=False)


def _frame(image: Any, place: int) -> Frame:
    return Frame(image, place, place / 10, time.monotonic())
