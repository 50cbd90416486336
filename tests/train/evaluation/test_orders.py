"""A stream judged in several orders, with a predictor whose every answer is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.store import FrameStore, one_hot
from edgecrnn.train.evaluation.evaluate import evaluate
from edgecrnn.train.evaluation.orders import judge_orders, orders_text

LABELS = ("dark", "bright")


@dataclass(frozen=True)
class Stubborn:
    """Keeps its first answer after a dark frame; without a frame before it says what it sees."""

    labels: tuple[str, ...] = LABELS

    def scores(self, frames: npt.NDArray[np.uint8], state: Any) -> tuple[Any, Any]:
        rows = []
        for frame in frames:
            seen = int(frame.mean() > 100)
            state = 0 if state == 0 else seen
            rows.append([1.0 - state, float(state)])
        return np.array(rows, np.float32), state


def store(*labels: int) -> FrameStore:
    """A clip of four frames for each label."""
    frames = np.repeat(np.array(labels, np.uint8) * 200, 4).reshape(-1, 1, 1, 1)
    truth = np.array(labels, np.int64)
    return FrameStore(
        frames, 4 * np.arange(len(labels) + 1), truth,
        tuple(f"{i}.avi" for i in range(len(labels))), one_hot(truth, 2),
    )  # fmt: skip


def test_the_order_decides_what_the_state_spoils() -> None:
    clips = store(1, 0)
    alone = evaluate(Stubborn(), clips, LABELS, "clips", 1)
    assert alone.clip.accuracy == 1.0
    orders = judge_orders(Stubborn(), clips, alone.detail.predicted, 1, 6)
    # Bright first, all is right; dark first, the bright clip is called dark.
    assert set(orders.accuracies) == {0.5, 1.0}
    assert alone.stream is not None and orders.accuracies[0] == alone.stream.accuracy
    assert orders.accuracy == pytest.approx(np.mean(orders.accuracies))
    assert orders.less_clips == pytest.approx(orders.accuracy - 1.0)
    low, high = orders.less_clips_interval
    assert low < orders.less_clips < high
    said = orders_text(orders)
    assert said.startswith("In 6 orders of the clips the stream is right in ")
    assert "(50.0 to 100.0)" in said and "points beside the clips" in said


def test_each_order_reads_every_frame_once() -> None:
    read: list[int] = []
    judge_orders(Stubborn(), store(1, 0, 1), np.array([1, 0, 1]), 0, 3, read.append)
    assert sum(read) == 3 * 12


def test_clips_within_the_warm_up_are_refused() -> None:
    with pytest.raises(EdgecrnnError, match="more than the 9 frames of warm-up, got none"):
        judge_orders(Stubborn(), store(1, 0), np.array([1, 0]), 9, 2)
