"""Decodes a data folder into the cache: every file once, what cannot be used left out."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgecrnn.runtime.files import new_folder
from edgecrnn.runtime.preprocess import Image, Preprocessing
from edgecrnn.train.data import cache
from edgecrnn.train.data.decode import BadFileError, native_rate, quiet, read_clip, read_picture
from edgecrnn.train.data.layout import SPLITS, Item, Layout
from edgecrnn.train.data.parallel import decode_in_order
from edgecrnn.train.data.skipped import Skipped, check_skipped

MOST_RATE = 10.0  # frames a second where none is asked for
Progress = Callable[[int, int], None]


def build(
    folder: Path,
    layout: Layout,
    preprocessing: Preprocessing,
    frame_rate: float | None,
    shortest: int,
    max_bad: float,
    progress: Progress | None,
) -> None:
    """Decode all files of a layout into an entry of the cache; it appears whole or not at all.

    Args:
        folder: the entry.
        layout: what is decoded.
        preprocessing: size, colour and fit of the frames.
        frame_rate: frames a second that clips are resampled to; None for the usual one of them.
        shortest: clips of fewer frames are skipped.
        max_bad: share of the files that may be skipped.
        progress: called with (files decoded, files in all).

    Raises:
        EdgecrnnError: too many files are bad, or the entry cannot be written.
    """
    try:
        with new_folder(folder) as beside, quiet():
            rate = _frame_rate(layout, frame_rate)
            _decode_into(beside, layout, preprocessing, rate, shortest, max_bad, progress)
    except OSError as error:
        # Another process may have finished the same frames first; then they are there.
        if cache.open_cache(folder, preprocessing.frame_shape) is None:
            raise cache.not_writable(folder.parent, error) from error


def _decode_into(
    folder: Path,
    layout: Layout,
    preprocessing: Preprocessing,
    rate: float | None,
    shortest: int,
    max_bad: float,
    progress: Progress | None,
) -> None:
    def read(item: Item) -> Iterator[Image]:
        if layout.kind == "pictures":
            return iter((read_picture(item.path, preprocessing),))
        return read_clip(item.path, preprocessing, rate)

    writers: dict[str, cache.FrameWriter] = {}
    kept: dict[str, list[Item]] = {s: [] for s in SPLITS}
    skipped: list[Skipped] = []
    lengths: list[int] = []
    try:
        for split in sorted({i.split for i in layout.items}, key=SPLITS.index):
            writers[split] = cache.FrameWriter(folder / f"{split}.npy", preprocessing.frame_shape)
        decoded = decode_in_order(layout.items, read)
        for done, (item, chunks) in enumerate(zip(layout.items, decoded, strict=True), 1):
            writer = writers[item.split]
            try:
                count = writer.write_clip(chunks)
                lengths.append(count)
                if count >= shortest:
                    kept[item.split].append(item)
                else:
                    writer.drop()
                    skipped.append(Skipped(item.path, f"short: {count} frames"))
            except BadFileError as bad:
                skipped.append(Skipped(item.path, str(bad)))
            if progress is not None:
                progress(done, len(layout.items))
        check_skipped(layout, skipped, lengths, shortest, max_bad)
        for writer in writers.values():
            writer.close()
    finally:
        for writer in writers.values():
            writer.abandon()
    cache.write_index(
        folder,
        {
            "frame_rate": rate,
            "shortest": shortest,
            "lengths": lengths,
            "skipped": [(s.path.relative_to(layout.root).as_posix(), s.reason) for s in skipped],
            "splits": {
                split: {
                    "starts": writer.starts,
                    "checks": writer.checks,
                    "clips": [(layout.name(i), i.label) for i in kept[split]],
                }
                for split, writer in writers.items()
            },
        },
    )


def _frame_rate(layout: Layout, asked: float | None) -> float | None:
    """Frames a second that the clips are resampled to; None for pictures."""
    if layout.kind == "pictures":
        return None
    if asked is not None:
        return float(asked)
    with ThreadPoolExecutor(2) as pool:
        return usual_rate(pool.map(native_rate, (i.path for i in layout.items)))


def usual_rate(stated: Iterable[float | None]) -> float:
    """The rate that clips are resampled to where none is asked for, from those they state."""
    rates = [rate for rate in stated if rate]
    return min(MOST_RATE, statistics.median(rates)) if rates else MOST_RATE
