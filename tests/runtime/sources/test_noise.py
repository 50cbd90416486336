"""Noise as a source, for bundles that make pictures of it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.preprocess import Preprocessing, prepare
from edgecrnn.runtime.seeds import seed_frame
from edgecrnn.runtime.sources import open_source


def test_each_class_in_turn_as_a_model_was_trained_on_it() -> None:
    source = open_source("noise:32x24?classes=3", SourceSettings(rate=200))
    frames = [source.read() for _ in range(4)]
    patterns = []
    for frame in frames:
        assert frame is not None
        seen = prepare(frame.image, Preprocessing(height=24, width=32, color="gray"))
        patterns.append(seen.reshape(3, 8, 4, 8)[:, 4:])
    wanted = [
        seed_frame((24, 32, 1), label, np.random.default_rng(0)).reshape(3, 8, 4, 8)[:, 4:]
        for label in (0, 1, 2, 0)
    ]
    assert all(np.array_equal(*pair) for pair in zip(patterns, wanted, strict=True))


def test_it_keeps_its_rate() -> None:
    source = open_source("noise:16x16", SourceSettings(rate=50))
    begun = time.monotonic()
    for index in range(6):
        frame = source.read()
        assert frame is not None and frame.index == index
    assert time.monotonic() - begun >= 0.09


@pytest.mark.parametrize(
    "spec",
    ["noise:", "noise:30x32", "noise:32x32?class=x", "noise:32x32?label=1", "noise:8x8?class=-1"],
)
def test_what_is_not_written_like_that(spec: str) -> None:
    with pytest.raises(EdgecrnnError, match="expected noise:WIDTHxHEIGHT in multiples of 8"):
        open_source(spec, SourceSettings())
