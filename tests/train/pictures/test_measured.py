"""The measures of few pictures, and how many there are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.train.pictures.judge import judge
from edgecrnn.train.pictures.load import Pictures
from edgecrnn.train.tasks import Truth, picture_task


def test_two_pictures_of_a_task_with_two_kinds_of_frames() -> None:
    task = picture_task("generate+segment")
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    truths = tuple(Truth(mask=(each[..., 0] > 128).astype(np.uint8)) for each in pictures)
    verdict = judge(
        task, task.Settings(), Pictures(pictures, truths, ("a", "b")), "test",
        lambda frame: (frame.astype(np.float32), np.eye(2, dtype=np.float32)[frame[..., 0] // 128]),
    )  # fmt: skip
    assert verdict.count == 2 and len(verdict.answers) == 4
    assert set(verdict.measures) == {"coverage", "mean_iou"}
    assert all(0 <= one.low <= one.value <= one.high for one in verdict.measures.values())
