"""When in time: the same as leaving each frame out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.train.explain import left_out
from edgecrnn.train.explain.answers import answers, logits_of, scores_of
from edgecrnn.train.network.network import build_network
from edgecrnn.train.network.settings import NetworkSettings


@pytest.mark.parametrize("motion", [True, False])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_every_frames_importance_is_the_score_without_it(
    motion: bool, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = NetworkSettings(units=8, width=0.25, motion=motion)
    net: Any = build_network(settings, (16, 24, 3), 3, seed=2)
    frames = np.random.default_rng(0).integers(0, 256, (7, 16, 24, 3), dtype=np.uint8)
    features = 4 * len(frames) * int(net.cells[0].kernel.shape[0])
    monkeypatch.setattr(left_out, "_MOST_BYTES", at_once * features)
    found = left_out.importance(net, frames, 1, 2)

    def score(clip: np.ndarray) -> float:
        return float(answers(scores_of(net, logits_of(net, clip[None]))[0], 2)[1])

    expected = []
    for index in range(len(frames)):
        without = frames.copy()
        without[index] = frames[index - 1] if index else frames[1]
        expected.append(score(frames) - score(without))
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.abs(found).max() > 1e-4


def test_a_frame_that_is_like_the_one_before_does_not_matter() -> None:
    net: Any = build_network(NetworkSettings(units=8, width=0.25), (16, 16, 3), 3, seed=2)
    frames = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    frames[4] = frames[3]
    found = left_out.importance(net, frames, 0, 1)
    assert abs(found[4]) < 1e-7 < np.abs(found[3])
