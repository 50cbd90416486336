"""Boxes keep their sizes in int8 whatever range the rest of the grid takes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import measure
from edgecrnn.convert.recipe import load_recipe
from edgecrnn.runtime.engine import Engine
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.pictures.network import build_picture_model
from edgecrnn.train.tasks import picture_task


def test_a_box_does_not_share_its_steps_with_what_is_surely_not_there() -> None:
    task = picture_task("detect")
    network = NetworkSettings(sequence="patches", width=0.5, units=8, blocks=2).filled()
    model = build_picture_model(task, task.Settings(), network, (32, 32, 3), 3)
    # As training leaves them: nearly every cell is surely empty, and of no class.
    model.get_layer("there").bias.assign([-60.0])
    model.get_layer("class").bias.assign([-60.0] * 3)
    frames = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    graph = to_float_tflite(model)
    samples = [{"frame": frame[None].astype(np.float32)} for frame in frames]
    small = quantize(graph, load_recipe("int8-mixed"), measure(graph, samples))
    engines = [Engine(each, ("a", "b", "c"), "x") for each in (graph, small)]
    exact, rounded = (np.stack([e.step(f, {})[0] for f in frames])[..., 1:5] for e in engines)
    # In steps of 60 / 255 a size of one half would be wrong by up to 0.03.
    assert np.abs(exact - rounded).max() < 0.015
