"""The encoder without places: what it says of a thing does not depend on where the thing is."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.train.encoders import build_encoder
from edgecrnn.train.network.clip_graph import clip
from edgecrnn.train.network.network import build_network, step, zero_states
from edgecrnn.train.network.settings import NetworkSettings

SETTINGS = NetworkSettings(encoder="anywhere", width=0.25, units=4)


def test_a_thing_is_read_alike_wherever_it_is() -> None:
    thing = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    frames = np.zeros((3, 64, 64, 3), np.float32)
    # Steps of eight pixels are whole steps of the smallest map; the edge of the frame is far.
    for frame, (row, column) in zip(frames, ((16, 16), (16, 40), (32, 24)), strict=True):
        frame[row : row + 8, column : column + 8] = thing
    for name, alike in (("anywhere", True), ("light", False)):
        readings = build_encoder(name, (64, 64, 3), 0.25)(frames)
        read = np.asarray(readings[0] if isinstance(readings, list) else readings)
        assert read.max() > 0
        assert np.allclose(read[1:], read[:1], atol=1e-5) is alike


def test_frame_by_frame_is_the_clip() -> None:
    network = build_network(SETTINGS, (32, 48, 3), 3)
    assert network.cells[0].kernel.shape[0] == 16
    frames = np.random.default_rng(0).uniform(0, 255, (2, 5, 32, 48, 3)).astype(np.float32)
    expected, _ = clip(network, frames, zero_states(network, 2))
    states = zero_states(network, 2)
    for index in range(5):
        scores, states = step(network, frames[:, index], states)
        np.testing.assert_allclose(scores, expected[:, index], atol=1e-5)
