"""Windows thinned and blended."""

from __future__ import annotations

import numpy as np

from edgecrnn.train.data.batches import Window
from edgecrnn.train.data.window import every, mixed


def window(level: int = 0, rows: int = 6, reset: float = 1.0) -> Window:
    """Row r is of brightness 40 * r and of class r."""
    frames = np.zeros((rows, 4, 2, 2, 1), np.uint8)
    frames += (40 * np.arange(rows, dtype=np.uint8) + level)[:, None, None, None, None]
    targets = np.repeat(np.eye(rows, dtype=np.float32)[:, None], 4, 1)
    return Window(frames, targets, np.ones((rows, 4), np.float32), np.full(rows, reset, np.float32))


def test_every_other_frame() -> None:
    (thin,) = every(iter([window()]), 2)
    assert thin.frames.shape[:2] == thin.targets.shape[:2] == thin.weights.shape == (6, 2)


def test_frames_and_targets_are_blended_by_the_same_share() -> None:
    (blend,) = mixed(iter([window()]), 1.0, 0, 0)
    levels = blend.targets @ (40 * np.arange(6))
    assert np.allclose(blend.frames[..., 0, 0, 0], levels, atol=0.51)
    assert np.allclose(blend.targets.sum(-1), 1)
    own = blend.targets[np.arange(6), :, np.arange(6)]
    assert (own >= 0.5).all() and (own < 1).any()


def test_the_blend_stays_until_all_start_again() -> None:
    parts = [window(), window(1, reset=0.0), window(2, reset=0.0), window(3)]
    shown = [w.targets[:, 0] for w in mixed(iter(parts), 1.0, 0, 0)]
    assert np.array_equal(shown[0], shown[1]) and np.array_equal(shown[1], shown[2])
    assert not np.array_equal(shown[2], shown[3])


def test_a_frame_counts_where_both_count() -> None:
    part = window()
    part.weights[2, :3] = 0.0
    (blend,) = mixed(iter([part]), 1.0, 3, 0)
    partner = [
        next((int(i) for i in np.flatnonzero(row) if i != own), own)
        for own, row in enumerate(blend.targets[:, 0])
    ]
    for row, other in enumerate(partner):
        assert (blend.weights[row, :3] == (0.0 if 2 in (row, other) else 1.0)).all()
        assert (blend.weights[row, 3:] == 1.0).all()


def test_the_same_seed_gives_the_same_blend() -> None:
    one, two, other = (next(mixed(iter([window()]), 0.4, seed, 5)) for seed in (1, 1, 2))
    assert np.array_equal(one.frames, two.frames) and np.array_equal(one.targets, two.targets)
    assert not np.allclose(one.targets, other.targets)
