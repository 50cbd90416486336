"""A variant that loses too much is refused, and the reason says by how much."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.convert.certificate import (
    Bounds,
    Reference,
    _losses,
    _worst_class,
    examine,
    run_stream,
)
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.recipe import load_recipe
from edgecrnn.runtime.engine import Engine
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings

LABELS = ("a", "b")
FRAMES = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
BOUNDS = Bounds(accuracy_drop=1.0, agreement=0.98)
FLOAT32 = load_recipe("float32")
RUNTIME = ("ai-edge-litert", "2.3.0")


@pytest.fixture(scope="module")
def model() -> bytes:
    chosen = NetworkSettings(units=4, width=0.25)
    return to_float_tflite(step_model(build_network(chosen, (16, 16, 3), 2, seed=3)))


def reference(scores: np.ndarray) -> Reference:
    counted = np.arange(len(FRAMES)) >= 8
    return Reference(FRAMES, scores.argmax(1).astype(np.int64), counted, scores)


def test_a_variant_that_says_the_same_is_shipped(model: bytes) -> None:
    scores = run_stream(Engine(model, LABELS, "float32"), FRAMES)
    finding, again = examine(model, FLOAT32, LABELS, reference(scores), BOUNDS, RUNTIME)
    assert finding.refused == ""
    assert (finding.accuracy, finding.agreement) == (1.0, 1.0)
    assert finding.drift == (1.0,) * 10
    assert finding.partitions == 1
    assert finding.delegated == sum(finding.operators.values())
    np.testing.assert_array_equal(again, scores)


def test_a_variant_that_says_something_else_is_refused(model: bytes) -> None:
    scores = run_stream(Engine(model, LABELS, "float32"), FRAMES)
    finding, _ = examine(model, FLOAT32, LABELS, reference(scores[:, ::-1]), BOUNDS, RUNTIME)
    assert finding.agreement == 0.0
    assert "accuracy fell by 100.00 points, at most 1 allowed" in finding.refused
    assert "agrees on 0.00% of frames, at least 98.00% required" in finding.refused


def test_a_drop_of_just_the_bound_is_allowed() -> None:
    """100 * (283 / 300 - 280 / 300) is 1 and a few last digits more."""
    truth = np.zeros(300, np.int64)
    scores = np.tile(np.array([[0.9, 0.1]], np.float32), (300, 1))
    scores[:17] = scores[:17, ::-1]
    held = Reference(np.zeros((300, 1), np.uint8), truth, np.ones(300, bool), scores)
    assert 100 * (held.accuracy - 280 / 300) > 1.0
    assert _losses(280 / 300, 294 / 300, held, BOUNDS) == []
    assert len(_losses(279 / 300, 293 / 300, held, BOUNDS)) == 2


def test_every_one_of_many_labels_counts() -> None:
    scores = np.zeros((10, 80), np.float32)
    scores[:, 70] = 1.0
    true = scores > 0.5
    counted = np.ones(10, bool)
    right = Reference(np.zeros((10, 1), np.uint8), true, counted, scores, (0.5,) * 80)
    assert right.accuracy == 1.0
    true = true.copy()
    true[:5, 70] = False
    wrong = Reference(np.zeros((10, 1), np.uint8), true, counted, scores, (0.5,) * 80)
    assert wrong.accuracy == 0.5
    labels = tuple(map(str, range(80)))
    assert _worst_class(np.zeros_like(scores), labels, wrong) == ("70", 100.0)
