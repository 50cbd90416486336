"""What training reads: windows of endless streams, or batches of pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.augment import Augmentation, Draws, Noise, apply, draw
from edgecrnn.train.data.store import FrameStore

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """T consecutive frames of each of B streams."""

    frames: npt.NDArray[np.uint8]  # [B, T, H, W, C]
    targets: npt.NDArray[np.float32]  # [B, T, classes], 1.0 for each label that is true
    weights: npt.NDArray[np.float32]  # [B, T], 0.0 where the frame is not to count
    reset: npt.NDArray[np.float32]  # [B], 1.0 where the state is zero before this window


def stream_steps(store: FrameStore, batch: int, window: int) -> int:
    """How many windows `stream_windows` gives in an epoch: the same in every epoch."""
    return math.ceil(len(store.frames) / (batch * window))


def picture_steps(store: FrameStore, batch: int) -> int:
    """How many windows `picture_batches` gives in an epoch."""
    return math.ceil(len(store) / batch)


def stream_windows(
    store: FrameStore,
    batch: int,
    window: int,
    warmup: int,
    seed: int,
    epoch: int,
    reset_every: float = math.inf,
    augment: Augmentation | None = None,
    balanced: bool = False,
    mirrored: _Ints | None = None,
    rows: range | None = None,
) -> Iterator[Window]:
    """One epoch of `batch` endless streams, `window` frames at a time.

    The clips in shuffled order make one long sequence; it is cut into `batch` equal pieces, one
    a row, so clip borders fall anywhere. Every frame comes once; the last piece goes on with
    the sequence's beginning where the frames do not divide evenly.

    Args:
        store: the clips.
        batch: rows.
        window: frames in a window.
        warmup: frames after a change of class or a reset that get weight 0.
        seed: with `epoch`, decides everything: the same two give the same windows.
        epoch: number of the epoch.
        reset_every: mean number of windows after which a row starts again from a zero state;
            infinite: only at the epoch's start.
        augment: changes of the clips; None for none.
        balanced: draw the classes equally often, the clips of rare ones more than once.
        mirrored: int64 [classes], the class that each class is in a mirror; None for the same.
        rows: those of the `batch` that are wanted, the same as they would be among all; None: all.

    Yields:
        `stream_steps` windows; every row of the first has reset 1.0.

    Raises:
        EdgecrnnError: no frame at all would count.
    """
    rng = np.random.default_rng((seed, epoch))
    steps = stream_steps(store, batch, window)
    order = _order(store, len(store.frames), balanced, rng)
    starts, clips = _sequence(store, order)
    length = steps * window
    place = (np.arange(batch)[:, None] * length + np.arange(length)) % len(starts)
    # Before what changes frames: the streams are the same whatever the augmentation.
    reset = rng.random((batch, steps)) < 1 / reset_every
    reset[:, :1] = True
    draws = _draws(store, len(order), augment, rng)
    targets = _targets(store, order, draws, mirrored)
    shown = np.unique(targets, axis=0, return_inverse=True)[1][clips[place]]
    weights = _weights(shown, reset, warmup, window)
    if steps and not weights.any():
        raise EdgecrnnError(
            f"warmup: expected fewer frames than a stream shows one class for, got {warmup}; "
            "lower --warmup or give longer clips"
        )
    noise = Noise(augment.noise, rng) if augment and augment.noise else None
    rows = range(batch) if rows is None else rows
    own = slice(rows.start, rows.stop)
    for step in range(steps):
        cut = slice(step * window, (step + 1) * window)
        frames = _gather(store, starts, clips, place[:, cut], draws, noise, rows)
        yield Window(
            frames,
            targets[clips[place[own, cut]]],
            weights[own, cut],
            reset[own, step].astype(np.float32),
        )


def picture_batches(
    store: FrameStore,
    batch: int,
    seed: int,
    epoch: int,
    augment: Augmentation | None = None,
    balanced: bool = False,
    mirrored: _Ints | None = None,
    rows: range | None = None,
) -> Iterator[Window]:
    """One epoch of pictures in shuffled order, as windows of one frame (T = 1), all reset.

    Every batch is full: the last is filled up with pictures of weight 0. The arguments are
    those of `stream_windows`.
    """
    rng = np.random.default_rng((seed, epoch))
    order = _order(store, len(store), balanced, rng)[: len(store)]
    starts, clips = _sequence(store, order)
    draws = _draws(store, len(order), augment, rng)
    targets = _targets(store, order, draws, mirrored)
    noise = Noise(augment.noise, rng) if augment and augment.noise else None
    rows = range(batch) if rows is None else rows
    own = slice(rows.start, rows.stop)
    for step in range(picture_steps(store, batch)):
        place = np.arange(step * batch, (step + 1) * batch)[:, None]
        weights = (place < len(order)).astype(np.float32)
        place = place % len(order)
        frames = _gather(store, starts, clips, place, draws, noise, rows)
        yield Window(
            frames, targets[clips[place[own]]], weights[own], np.ones(len(rows), np.float32)
        )


def _order(store: FrameStore, least: int, balanced: bool, rng: np.random.Generator) -> _Ints:
    """Clip numbers in the order they are shown, with `least` frames or more in all."""
    if not balanced:
        return rng.permutation(len(store))
    lengths = np.diff(store.starts)
    classes = [np.flatnonzero(store.labels == c) for c in np.unique(store.labels)]
    waiting: list[list[int]] = [[] for _ in classes]
    order: list[int] = []
    total = 0
    while total < least:
        # One round shows every class once, in random order.
        for c in rng.permutation(len(classes)):
            if not waiting[c]:
                waiting[c] = rng.permutation(classes[c]).tolist()
            order.append(waiting[c].pop())
            total += int(lengths[order[-1]])
    return np.array(order, np.int64)


def _sequence(store: FrameStore, order: _Ints) -> tuple[_Ints, _Ints]:
    """For each frame of the clips in `order`: its number in the store, its place in `order`."""
    lengths = np.diff(store.starts)[order]
    clips = np.repeat(np.arange(len(order)), lengths)
    begins = np.cumsum(lengths) - lengths
    return np.arange(len(clips)) - begins[clips] + store.starts[order][clips], clips


def _targets(
    store: FrameStore, order: _Ints, draws: Draws | None, mirrored: _Ints | None
) -> npt.NDArray[np.float32]:
    """What is true of each clip in `order` as it is shown: [clips, classes]."""
    targets = store.targets[order]
    if draws is None or mirrored is None:
        return targets
    return np.where(draws.mirror[:, None], targets[:, mirrored], targets)


def _weights(
    labels: npt.NDArray[np.int64], reset: npt.NDArray[np.bool_], warmup: int, window: int
) -> npt.NDArray[np.float32]:
    """1.0 but for the first `warmup` frames after a change of class or a reset: [B, length]."""
    begins = np.zeros(labels.shape, bool)
    begins[:, 1:] = labels[:, 1:] != labels[:, :-1]
    begins[:, ::window] |= reset
    place = np.arange(labels.shape[1])
    last = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    return (place - last >= warmup).astype(np.float32)


def _draws(
    store: FrameStore, count: int, augment: Augmentation | None, rng: np.random.Generator
) -> Draws | None:
    if augment is None:
        return None
    height, width, channels = store.frames.shape[1:]
    return draw(augment, count, (height, width, channels), rng)


def _gather(
    store: FrameStore,
    frames: _Ints,
    clips: _Ints,
    place: _Ints,
    draws: Draws | None,
    noise: Noise | None,
    rows: range,
) -> npt.NDArray[np.uint8]:
    """The frames at `rows` of `place` [B, T] of the sequence, changed as drawn: [rows, T, ...]."""
    own = place[rows.start : rows.stop]
    result = np.empty((*own.shape, *store.frames.shape[1:]), np.uint8)
    numbers, shown = frames[own], clips[own]
    # A run of one clip is one slice of the memory map. The same clip twice in a row, or two
    # clips that are neighbours in the store, are two runs.
    begins = np.ones(own.shape, bool)
    begins[:, 1:] = (np.diff(numbers) != 1) | (np.diff(shown) != 0)
    cuts = np.flatnonzero(begins)
    lengths = np.diff(cuts, append=own.size)
    runs = zip(
        cuts.tolist(), lengths.tolist(), numbers.flat[cuts].tolist(), shown.flat[cuts].tolist(),
        strict=True,
    )  # fmt: skip
    tables = None if draws is None else draws.tables(shown.flat[cuts])
    flat = result.reshape(-1, *result.shape[2:])
    for run, (first, length, begin, clip) in enumerate(runs):
        source, out = store.frames[begin : begin + length], flat[first : first + length]
        if draws is None or tables is None:
            out[...] = source
        else:
            apply(source, clip, draws, out, tables[run])
    if noise is not None:
        for row in range(len(place)):
            if row in rows:
                noise.add(result[row - rows.start])
            else:
                noise.pass_by(result[0].size)
    return result
