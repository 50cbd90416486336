"""What a wrong guess at a picture's SSIM costs."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.train.tasks import picture_task

TASK = picture_task("quality")


def cost(said: float, true: float) -> float:
    answer, target = (np.array([[each]], np.float32) for each in (said, true))
    return float(TASK.loss(TASK.Settings(), answer, target)[0])


def test_a_small_step_between_good_pictures_costs_as_much_as_a_large_one_between_bad_ones() -> None:
    assert cost(0.9, 0.9) == 0.0
    assert cost(0.95, 0.9) == pytest.approx(cost(0.9, 0.95))
    # Ten times the difference, and yet no more than this.
    assert cost(0.98, 0.95) > cost(0.1, 0.4)
    assert np.isfinite([cost(0.0, 1.0), cost(1.0, 0.0), cost(1.0, 1.0)]).all()
