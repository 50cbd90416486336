"""A tiny network, its float32 step graph and what it holds in use."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.convert.calibrate import Sample, roll_out
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.runtime.engine import Engine
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings

LABELS = ("a", "b", "c")


@pytest.fixture(scope="session")
def frames() -> np.ndarray:
    """Frames that follow each other: a bright square moves over noise."""
    rng = np.random.default_rng(0)
    made = rng.integers(0, 60, (200, 16, 16, 3), dtype=np.uint8)
    for index in range(len(made)):
        row, column = (index * 2) % 12, (index * 3 // 2) % 12
        made[index, row : row + 4, column : column + 4] = 220
    return made


@pytest.fixture(scope="session")
def float_model() -> bytes:
    chosen = NetworkSettings(units=16, width=0.5)
    return to_float_tflite(step_model(build_network(chosen, (16, 16, 3), 3, seed=3)))


@pytest.fixture(scope="session")
def samples(float_model: bytes, frames: np.ndarray) -> list[Sample]:
    return roll_out(Engine(float_model, LABELS, "float32"), frames)
