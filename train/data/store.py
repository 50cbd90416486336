"""Loads a data folder into frame stores: decoded once, kept in a cache on disk."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import new_folder
from edgecrnn.runtime.preprocess import Image, Preprocessing
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.data import cache
from edgecrnn.train.data.decode import BadFileError, native_rate, quiet, read_clip, read_picture
from edgecrnn.train.data.digests import Digests, digests_of
from edgecrnn.train.data.layout import SPLITS, Item, Layout, read_layout
from edgecrnn.train.data.parallel import decode_in_order
from edgecrnn.train.data.shared import missing_notes, shared_notes
from edgecrnn.train.data.skipped import Skipped, check_skipped

MOST_RATE = 10.0  # frames a second where none is asked for
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DataSettings:
    """How a data folder becomes frames."""

    frame_rate: float | None = setting(
        None,
        "rate clips are resampled to; without it the clips' median rate, at most 10",
        unit="frames a second",
        least=0.1,
        most=240,
    )
    shortest: int = setting(
        16, "clips shorter than this after resampling are skipped", unit="frames", least=1
    )
    seed: int = setting(0, "seed of the split where the data has none", least=0)
    cache: str = setting("", "folder for decoded frames; empty: edgecrnn in the user's cache")
    max_bad: float = setting(
        0.05, "share of the files that may be bad before loading stops", least=0, most=1
    )
    allow_shared: bool = setting(False, "train although files of train are in val or test too")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class FrameStore:
    """The decoded frames of one split; a picture is a clip of one frame."""

    frames: npt.NDArray[np.uint8]  # [N, H, W, C], a read-only memory map
    starts: npt.NDArray[np.int64]  # [clips + 1]; clip i is frames[starts[i]:starts[i + 1]]
    labels: npt.NDArray[np.int64]  # [clips]; the same number, the same labels
    names: tuple[str, ...]  # path below the data folder, per clip
    targets: npt.NDArray[np.float32]  # [clips, classes], 1.0 for each label that is true

    def __len__(self) -> int:
        return len(self.labels)

    def clip(self, i: int) -> npt.NDArray[np.uint8]:
        """The frames of clip `i`, uint8 [T, H, W, C]."""
        return self.frames[self.starts[i] : self.starts[i + 1]]


@dataclass(frozen=True)
class Data:
    """A data folder, decoded."""

    kind: str  # "pictures" or "clips"
    task: str  # "classify" or "multilabel"
    labels: tuple[str, ...]
    frame_rate: float | None  # frames a second; None for pictures
    preprocessing: Preprocessing
    splits: dict[str, FrameStore]  # "train", "val", "test": those there are
    skipped: tuple[Skipped, ...]
    hash: str  # SHA-256 over the files' names and contents, hexadecimal
    made_split: bool
    notes: tuple[str, ...]  # sentences to read: the same file in two places, a class missing
    part_of: str = ""  # hash of the data that this is a fold of


def load(
    root: Path,
    preprocessing: Preprocessing,
    settings: DataSettings,
    labels: tuple[str, ...] | None = None,
    progress: Progress | None = None,
    digests: Digests | None = None,
    accepted: str = "",
) -> Data:
    """Read, decode and cache the data folder `root`.

    Args:
        root: [split/]class/file, see `layout.read_layout`.
        preprocessing: size, colour and fit of the frames.
        settings: frame rate, shortest clip, seed, cache folder.
        labels: the classes of a trained model; those found must be among them.
        progress: called with (files decoded, files in all) while decoding; not called where
            the cache holds the frames.
        digests: of the files, where they were asked for before; None for those remembered.
        accepted: hash of data that training took with the bad files it has, whatever `max_bad`.

    Raises:
        EdgecrnnError: the folder cannot be used, more than `max_bad` of its files are bad, or
            the cache cannot be written.
    """
    kept = cache.cache_root(settings.cache)
    digests = digests or digests_of(root, kept)
    layout = read_layout(root, settings.seed, labels, digests)
    data_hash = _hash(layout)
    if data_hash == accepted:
        settings = replace(settings, max_bad=1.0)
    folder = kept / "frames" / _key(layout, preprocessing, settings)
    shape = preprocessing.frame_shape
    shortest = settings.shortest if layout.kind == "clips" else 1
    opened = cache.open_cache(folder, shape)
    if opened is None or not _same_kept(opened[0], shortest):
        _build(folder, layout, preprocessing, settings, progress)
        opened = cache.open_cache(folder, shape)
    if opened is None:
        raise EdgecrnnError(
            f"{folder}: expected the decoded frames just written, got something else; "
            "check the disk or choose another folder with --cache"
        )
    digests.save()
    index, stored = opened
    skipped = tuple(Skipped(layout.root / name, reason) for name, reason in index["skipped"])
    check_skipped(layout, skipped, index["lengths"], shortest, settings.max_bad)
    splits = {
        split: _store(part, index["splits"][split]["clips"], layout)
        for split, part in stored.items()
    }
    counts = {split: class_counts(store, layout.labels) for split, store in splits.items()}
    return Data(
        kind=layout.kind,
        task=layout.task,
        labels=layout.labels,
        frame_rate=index["frame_rate"],
        preprocessing=preprocessing,
        splits=splits,
        skipped=skipped,
        hash=data_hash,
        made_split=layout.made_split,
        notes=shared_notes(layout) + (() if labels else missing_notes(layout.root, counts)),
    )


def _store(part: cache.StoredSplit, clips: list[tuple[str, int]], layout: Layout) -> FrameStore:
    labels = np.array([label for _, label in clips], np.int64)
    names = tuple(name for name, _ in clips)
    targets = np.zeros((len(layout.sets), len(layout.labels)), np.float32)
    for number, true in enumerate(layout.sets):
        targets[number, list(true)] = 1.0
    return FrameStore(part.frames, part.starts, labels, names, targets[labels])


def one_hot(labels: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float32]:
    """float32 [clips, classes] of labels [clips], where each clip has one."""
    return np.eye(classes, dtype=np.float32)[labels]


def _hash(layout: Layout) -> str:
    lines = sorted(f"{layout.name(item)}\0{item.digest}\n" for item in layout.items)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _key(layout: Layout, preprocessing: Preprocessing, settings: DataSettings) -> str:
    """Everything that the decoded frames and their order depend on, hashed."""
    facts = {
        "version": cache.VERSION,
        "items": [(layout.name(i), i.digest, i.label, i.split) for i in layout.items],
        "preprocessing": asdict(preprocessing),
        "frame_rate": settings.frame_rate,
    }
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _same_kept(index: dict[str, Any], shortest: int) -> bool:
    """Whether another `shortest` would have kept the same clips: then the frames serve."""
    low, high = sorted((index["shortest"], shortest))
    return not any(low <= length < high for length in index["lengths"])


def _build(
    folder: Path,
    layout: Layout,
    preprocessing: Preprocessing,
    settings: DataSettings,
    progress: Progress | None,
) -> None:
    try:
        with new_folder(folder) as beside, quiet():
            _decode_into(beside, layout, preprocessing, settings, progress)
    except OSError as error:
        # Another process may have finished the same frames first; then they are there.
        if cache.open_cache(folder, preprocessing.frame_shape) is None:
            raise cache.not_writable(folder.parent, error) from error


def _decode_into(
    folder: Path,
    layout: Layout,
    preprocessing: Preprocessing,
    settings: DataSettings,
    progress: Progress | None,
) -> None:
    rate = _frame_rate(layout, settings)
    shortest = settings.shortest if layout.kind == "clips" else 1

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
        check_skipped(layout, skipped, lengths, shortest, settings.max_bad)
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


def _frame_rate(layout: Layout, settings: DataSettings) -> float | None:
    """Frames a second that the clips are resampled to; None for pictures."""
    if layout.kind == "pictures":
        return None
    if settings.frame_rate is not None:
        return float(settings.frame_rate)
    with ThreadPoolExecutor(2) as pool:
        return usual_rate(pool.map(native_rate, (i.path for i in layout.items)))


def usual_rate(stated: Iterable[float | None]) -> float:
    """The rate that clips are resampled to where none is asked for, from those they state."""
    rates = [rate for rate in stated if rate]
    return min(MOST_RATE, statistics.median(rates)) if rates else MOST_RATE


def class_counts(store: FrameStore, labels: tuple[str, ...]) -> dict[str, int]:
    """Clips that each label is true of, by name, zero included."""
    return dict(zip(labels, store.targets.sum(axis=0, dtype=np.int64).tolist(), strict=True))


__all__ = ["Data", "DataSettings", "FrameStore", "Skipped", "class_counts", "load", "one_hot"]
