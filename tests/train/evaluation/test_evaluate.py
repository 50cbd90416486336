"""Evaluation with small real predictors whose every score can be worked out by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.store import FrameStore, one_hot
from edgecrnn.train.evaluation.evaluate import evaluate
from edgecrnn.train.evaluation.streams import joined, stream_order, stream_scores

LABELS = ("falling", "rising")


@dataclass(frozen=True)
class Slope:
    """Tells a rising from a falling brightness; its state is the brightness of the frame before."""

    labels: tuple[str, ...] = LABELS

    def scores(self, frames: npt.NDArray[np.uint8], state: Any) -> tuple[Any, Any]:
        rows, before = [], state
        for frame in frames:
            now = float(frame.mean())
            rising = 0.5 if before is None else 0.9 if now > before else 0.1
            rows.append([1 - rising, rising])
            before = now
        return np.array(rows, np.float32), before


@dataclass(frozen=True)
class Bright:
    """Says class 1 of a bright frame; remembers nothing."""

    labels: tuple[str, ...] = LABELS

    def scores(self, frames: npt.NDArray[np.uint8], state: Any) -> tuple[Any, Any]:
        rising = np.clip(frames.mean(axis=(1, 2, 3)) / 255, 0.01, 0.99)
        scores = np.zeros((len(frames), len(self.labels)), np.float32)
        scores[:, 0], scores[:, 1] = 1 - rising, rising
        return scores, None


def ramps(count: int = 6, length: int = 300) -> FrameStore:
    """Clips of rising (odd) and falling (even) brightness, longer than one block."""
    levels = np.linspace(2, 250, length).astype(np.float32)
    clips = [levels if i % 2 else levels[::-1] for i in range(count)]
    # Strictly monotonic in the mean: two pixels carry the fraction.
    frames = np.stack([np.floor(np.concatenate(clips)), np.ceil(np.concatenate(clips))], axis=1)
    return FrameStore(
        frames=frames.astype(np.uint8).reshape(-1, 1, 2, 1),
        starts=np.arange(count + 1, dtype=np.int64) * length,
        labels=np.arange(count, dtype=np.int64) % 2,
        names=tuple(f"clip{i}" for i in range(count)),
        targets=one_hot(np.arange(count) % 2, 2),
    )


def test_a_model_with_memory_beats_shuffling_and_the_baseline() -> None:
    store = ramps(length=100)
    result = evaluate(Slope(), store, LABELS, "clips", warmup=2, baseline=Bright())
    assert result.clip.accuracy == 1.0
    # Six of six: the exact bound, for resampling knows no spread.
    assert result.clip.interval == pytest.approx((0.025 ** (1 / 6), 1.0))
    assert result.clip.shuffled_accuracy is not None
    assert result.clip.shuffled_accuracy < 1.0
    assert result.stream is not None
    # Only the jump between two clips of one class is misread, for one frame.
    assert result.stream.accuracy == pytest.approx(1.0, abs=0.01)
    assert result.stream.never_followed == 0
    assert result.baseline is not None
    assert result.baseline.stream_accuracy == pytest.approx(0.5, abs=0.05)
    assert result.confusion == ((3, 0), (0, 3))


def test_the_state_is_carried_along_the_stream_and_across_blocks() -> None:
    store = ramps()
    order = stream_order(store, 3)
    scores, truth = stream_scores(Slope(), store, order)
    frames, labels = joined(store, order)
    whole, _ = Slope().scores(frames, None)
    np.testing.assert_array_equal(scores, whole)
    np.testing.assert_array_equal(truth, labels)
    assert sorted(order.tolist()) == list(range(len(store)))


def test_what_is_counted_on_the_stream() -> None:
    store = ramps(count=2, length=20)
    result = evaluate(Slope(), store, LABELS, "clips", warmup=5)
    assert result.stream is not None
    assert (result.stream.frames, result.stream.counted, result.stream.changes) == (40, 30, 1)
    trace = result.detail.trace
    assert trace is not None
    assert trace.counted.sum() == 30


def test_the_stream_beside_the_clips() -> None:
    """The first frame of a clip is in doubt, and called falling: one of 20 in a rising clip."""
    result = evaluate(Slope(), ramps(count=2, length=20), LABELS, "clips", warmup=0)
    assert result.stream is not None and result.stream.accuracy is not None
    assert result.clip.accuracy == 1.0
    assert result.clip.frame_accuracy == pytest.approx(39 / 40)
    assert result.stream.less_clips == pytest.approx(result.stream.accuracy - 1.0)
    low, high = result.stream.less_clips_interval
    assert result.stream.less_clips is not None and low is not None and high is not None
    assert low <= result.stream.less_clips <= high <= 0.0


def test_pictures_have_no_stream() -> None:
    store = FrameStore(
        frames=np.array([10, 240, 200, 30, 130], np.uint8).reshape(-1, 1, 1, 1),
        starts=np.arange(6, dtype=np.int64),
        labels=np.array([0, 1, 1, 0, 0], np.int64),
        names=tuple("abcde"),
        targets=one_hot(np.array([0, 1, 1, 0, 0]), 2),
    )
    result = evaluate(Bright(), store, LABELS, "pictures", warmup=8, baseline=Bright())
    assert result.stream is None
    assert result.clip.shuffled_accuracy is result.clip.frame_accuracy is None
    assert result.clip.accuracy == pytest.approx(0.8)
    assert result.warmup == 0
    assert result.baseline is not None
    assert result.baseline.clip_accuracy == pytest.approx(0.8)
    assert result.baseline.stream_accuracy is None


def test_json_holds_every_number_but_no_arrays() -> None:
    labels = ("falling", "rising", "never")
    result = evaluate(Bright(labels), ramps(count=2, length=4), labels, "clips", warmup=0)
    values = json.loads(result.to_json())
    assert "detail" not in values
    assert values["clip"]["accuracy"] == result.clip.accuracy
    assert values["classes"][2]["recall"] is None
    assert values["confusion"] == [list(row) for row in result.confusion]


def test_progress_ends_at_its_total() -> None:
    seen: list[tuple[int, int]] = []
    evaluate(
        Slope(), ramps(2, 10), LABELS, "clips", 1,
        baseline=Bright(), progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen[-1][0] == seen[-1][1]
    assert all(done <= total for done, total in seen)


def test_no_clips_or_other_labels_are_refused() -> None:
    store = ramps(2, 4)
    empty = FrameStore(store.frames[:0], np.zeros(1, np.int64), store.labels[:0], (), store.targets)
    with pytest.raises(EdgecrnnError, match="at least one clip"):
        evaluate(Slope(), empty, LABELS, "clips", 1)
    with pytest.raises(EdgecrnnError, match="other"):
        evaluate(Slope(), store, ("falling", "other"), "clips", 1)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(0, 20), st.integers(0, 9))
def test_any_clip_lengths_and_warmup_are_judged(lengths: list[int], warmup: int, seed: int) -> None:
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    frames = np.random.default_rng(seed).integers(0, 255, (starts[-1], 2, 2, 1), np.uint8)
    labels = np.arange(len(lengths), dtype=np.int64) % 2
    store = FrameStore(frames, starts, labels, tuple(map(str, labels)), one_hot(labels, 2))
    result = evaluate(Bright(), store, LABELS, "clips", warmup, seed, baseline=Bright())
    # A model without memory does not mind the order, unless the warm-up cuts another part away.
    if warmup == 0:
        assert result.clip.shuffled_accuracy == pytest.approx(result.clip.accuracy)
    assert result.stream is not None
    assert result.baseline is not None
    assert result.baseline.clip_accuracy == result.clip.accuracy
    assert result.baseline.stream_accuracy == result.stream.accuracy
    assert result.to_json() == result.to_json()
