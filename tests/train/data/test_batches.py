from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.augment import Augmentation
from edgecrnn.train.data.batches import (
    Window,
    picture_batches,
    picture_steps,
    stream_steps,
    stream_windows,
)
from edgecrnn.train.data.store import FrameStore, one_hot


def numbered(lengths: list[int], labels: list[int]) -> FrameStore:
    """A store whose frame i says i in its four pixels, two bytes each."""
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    number = np.arange(starts[-1], dtype=np.uint16)
    frames = np.stack([number >> 8, number & 255], -1).astype(np.uint8)
    frames = np.repeat(frames[:, None, None], 4, 1).reshape(-1, 2, 2, 2)
    names = tuple(f"{i}.avi" for i in range(len(labels)))
    classes = np.array(labels, np.int64)
    return FrameStore(frames, starts, classes, names, one_hot(classes, max(labels, default=0) + 1))


def labels_of(window: Window) -> np.ndarray:
    assert (window.targets.sum(-1) == 1).all()
    return window.targets.argmax(-1)


def numbers(window: Window) -> np.ndarray:
    first = window.frames[:, :, 0, 0].astype(int)
    return first[..., 0] * 256 + first[..., 1]


def rows(windows: list[Window]) -> np.ndarray:
    return np.concatenate([numbers(w) for w in windows], 1)


STORES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), min_size=1, max_size=20).map(
    lambda clips: numbered([n for n, _ in clips], [c for _, c in clips])
)


@settings(max_examples=80, deadline=None)
@given(STORES, st.integers(1, 5), st.integers(1, 9), st.booleans(), st.integers(0, 3))
def test_streams(store: FrameStore, batch: int, window: int, balanced: bool, seed: int) -> None:
    windows = list(stream_windows(store, batch, window, 0, seed, 0, 2.0, None, balanced))
    assert len(windows) == stream_steps(store, batch, window)
    clip_of = np.repeat(np.arange(len(store)), np.diff(store.starts))
    shown = rows(windows)
    labels = np.concatenate([labels_of(w) for w in windows], 1)
    assert np.array_equal(labels, store.labels[clip_of[shown]])
    # Inside a row frames follow each other, or a clip's last is followed by another's first.
    steps = np.diff(shown, axis=1) == 1
    ends, begins = np.isin(shown + 1, store.starts[1:]), np.isin(shown, store.starts[:-1])
    jumps = ends[:, :-1] & begins[:, 1:]
    # The sequence's own end, where it starts again, may cut a clip that balancing cut short.
    assert (steps | jumps).all()
    if not balanced:
        assert set(shown.ravel()) == set(range(len(store.frames)))
    for w in windows:
        assert (w.frames.dtype, w.targets.dtype) == (np.uint8, np.float32)
        assert (w.weights.dtype, w.reset.dtype) == (np.float32, np.float32)
        assert w.frames.shape == (batch, window, 2, 2, 2) and w.reset.shape == (batch,)
    assert windows[0].reset.all()


@settings(max_examples=60, deadline=None)
@given(STORES, st.integers(1, 4), st.integers(2, 9), st.integers(1, 6))
def test_weights(store: FrameStore, batch: int, window: int, warmup: int) -> None:
    try:
        windows = list(stream_windows(store, batch, window, warmup, 0, 0, 3.0))
    except EdgecrnnError:
        windows = []
    for row in range(batch):
        since, before = 0, None
        for w in windows:
            if w.reset[row]:
                since = 0
            for t in range(window):
                label = labels_of(w)[row, t]
                since = 0 if before is not None and label != before else since
                assert w.weights[row, t] == (since >= warmup)
                since, before = since + 1, label


def test_seed_and_epoch_decide_everything() -> None:
    store = numbered([20] * 12, [0, 1, 2] * 4)

    def epoch(seed: int, number: int) -> np.ndarray:
        windows = stream_windows(store, 3, 8, 2, seed, number, 2.0, Augmentation())
        return np.concatenate([w.frames for w in windows])

    assert np.array_equal(epoch(1, 2), epoch(1, 2))
    assert not np.array_equal(epoch(1, 2), epoch(1, 3))
    assert not np.array_equal(epoch(1, 2), epoch(2, 2))


def test_resets_come_as_often_as_asked() -> None:
    store = numbered([50] * 80, [0, 1] * 40)
    resets = [w.reset for w in stream_windows(store, 4, 2, 0, 0, 0, 5.0)][1:]
    assert np.mean(resets) == pytest.approx(0.2, abs=0.04)
    never = [w.reset for w in stream_windows(store, 4, 2, 0, 0, 0, math.inf)][1:]
    assert not np.any(never)


def test_balanced_streams_show_rare_classes_as_often() -> None:
    store = numbered([10] * 100, [0] * 90 + [1] * 10)
    labels = [labels_of(w) for w in stream_windows(store, 4, 10, 0, 0, 0, balanced=True)]
    assert np.mean(labels) == pytest.approx(0.5, abs=0.05)


def test_a_warmup_that_leaves_nothing_is_refused() -> None:
    store = numbered([4] * 10, [0, 1] * 5)
    with pytest.raises(EdgecrnnError, match="lower --warmup"):
        list(stream_windows(store, 2, 4, 50, 0, 0))


def test_changes_are_drawn_once_a_clip() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (1, 16, 16, 3), np.uint8)
    store = FrameStore(
        np.repeat(frames, 60, 0), np.array([0, 30, 60]), np.array([0, 1]), ("a", "b"), np.eye(2)
    )
    windows = stream_windows(store, 1, 60, 0, 0, 0, augment=Augmentation(noise=0))
    shown = next(windows).frames[0]
    assert len(np.unique(shown.reshape(60, -1), axis=0)) == 2
    assert (shown[:30] == shown[0]).all() and (shown[30:] == shown[30]).all()
    noisy = next(stream_windows(store, 1, 60, 0, 0, 0, augment=Augmentation()))
    assert len(np.unique(noisy.frames[0].reshape(60, -1), axis=0)) == 60


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.booleans())
def test_pictures(count: int, batch: int, balanced: bool) -> None:
    store = numbered([1] * count, [i % 3 for i in range(count)])
    windows = list(picture_batches(store, batch, 0, 0, None, balanced))
    assert len(windows) == picture_steps(store, batch)
    assert all(w.frames.shape == (batch, 1, 2, 2, 2) and w.reset.all() for w in windows)
    counted = np.concatenate([numbers(w)[w.weights > 0] for w in windows])
    assert len(counted) == count
    if not balanced:
        assert sorted(counted) == list(range(count))
    for w in windows:
        assert np.array_equal(labels_of(w), store.labels[numbers(w)])


def test_a_mirrored_clip_stands_under_the_other_class() -> None:
    frames = np.zeros((40 * 4, 8, 8, 1), np.uint8)
    frames[:80, :, :4] = 200  # bright on the left
    frames[80:, :, 4:] = 200
    labels = np.repeat([0, 1], 20)
    store = FrameStore(
        frames, np.arange(0, 164, 4), labels, tuple(map(str, range(40))), one_hot(labels, 2)
    )
    how = Augmentation(
        crop=0, brightness=0, contrast=0, noise=0, flip="horizontal", swaps=("left=right",)
    )
    swapped = how.mirrored(("left", "right"))
    for windows in (
        stream_windows(store, 4, 8, 0, 0, 0, augment=how, mirrored=swapped),
        picture_batches(store, 8, 0, 0, augment=how, mirrored=swapped),
    ):
        for w in windows:
            bright_right = w.frames[..., -1, 0].mean(-1) > w.frames[..., 0, 0].mean(-1)
            assert np.array_equal(labels_of(w), bright_right.astype(int))


def test_the_rows_of_one_worker_are_those_of_all() -> None:
    store = numbered([9] * 12, [0, 1, 2] * 4)
    how = Augmentation(crop=0, flip="horizontal")
    for make in (
        lambda rows: stream_windows(store, 4, 8, 2, 0, 1, 2.0, how, rows=rows),
        lambda rows: picture_batches(store, 4, 0, 1, how, rows=rows),
    ):
        for whole, part in zip(make(None), make(range(2, 4)), strict=True):
            for name in ("frames", "targets", "weights", "reset"):
                assert np.array_equal(getattr(whole, name)[2:4], getattr(part, name))
