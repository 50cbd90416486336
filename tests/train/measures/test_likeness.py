"""How like two sets of pictures are."""

from __future__ import annotations

import numpy as np

from edgecrnn.train.measures.likeness import covered, nearest_labels


def pictures(seed: int, count: int, middle: float) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(middle, 10, (16, 16, 3)).astype(np.float32) for _ in range(count)]


def test_the_nearest_true_picture_names_a_made_one() -> None:
    true, labels = pictures(0, 8, 50) + pictures(1, 8, 200), np.repeat([0, 1], 8)
    made = pictures(2, 3, 60) + pictures(3, 3, 190)
    assert nearest_labels(made, true, labels).tolist() == [0, 0, 0, 1, 1, 1]


def test_pictures_of_one_kind_cover_no_other() -> None:
    true = pictures(0, 10, 50) + pictures(1, 10, 200)
    assert covered(pictures(4, 40, 50), true, 5)[:10].mean() > 0.5
    assert not covered(pictures(4, 40, 50), true, 5)[10:].any()
    assert covered(true, true, 5).all()


def test_one_picture_again_and_again_covers_little() -> None:
    true = pictures(0, 20, 100)
    assert covered(pictures(9, 1, 100) * 20, true, 5).mean() < 0.6
