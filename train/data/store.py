"""Loads a data folder into frame stores: decoded once, kept in a cache on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.data import cache
from edgecrnn.train.data.build import Progress, build
from edgecrnn.train.data.digests import Digests, digests_of
from edgecrnn.train.data.layout import Layout, read_layout
from edgecrnn.train.data.shared import missing_notes, shared_notes
from edgecrnn.train.data.skipped import Skipped, check_skipped


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
    shortest = settings.shortest if layout.kind == "clips" else 1
    # A rate that is asked for may be the clips' own, as that of a run is where none was.
    folders = [
        kept / "frames" / _key(layout, preprocessing, rate)
        for rate in dict.fromkeys((settings.frame_rate, None))
    ]
    own = folders[0]
    found = (_serving(each, preprocessing, settings.frame_rate, shortest) for each in folders)
    opened = next((each for each in found if each is not None), None)
    if opened is None:
        build(own, layout, preprocessing, settings.frame_rate, shortest, settings.max_bad, progress)
        opened = cache.open_cache(own, preprocessing.frame_shape)
    if opened is None:
        raise EdgecrnnError(
            f"{own}: expected the decoded frames just written, got something else; "
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


def _serving(
    folder: Path, preprocessing: Preprocessing, rate: float | None, shortest: int
) -> tuple[dict[str, Any], dict[str, cache.StoredSplit]] | None:
    """The cached frames where they are those that would be decoded, else None."""
    opened = cache.open_cache(folder, preprocessing.frame_shape)
    if opened is None or not _same_kept(opened[0], shortest):
        return None
    return opened if rate is None or opened[0]["frame_rate"] in (None, rate) else None


def _key(layout: Layout, preprocessing: Preprocessing, rate: float | None) -> str:
    """Everything that the decoded frames and their order depend on, hashed."""
    facts = {
        "version": cache.VERSION,
        "items": [(layout.name(i), i.digest, i.label, i.split) for i in layout.items],
        "preprocessing": asdict(preprocessing),
        "frame_rate": rate,
    }
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _same_kept(index: dict[str, Any], shortest: int) -> bool:
    """Whether another `shortest` would have kept the same clips: then the frames serve."""
    low, high = sorted((index["shortest"], shortest))
    return not any(low <= length < high for length in index["lengths"])


def class_counts(store: FrameStore, labels: tuple[str, ...]) -> dict[str, int]:
    """Clips that each label is true of, by name, zero included."""
    return dict(zip(labels, store.targets.sum(axis=0, dtype=np.int64).tolist(), strict=True))


__all__ = [
    "Data", "DataSettings", "FrameStore", "Progress", "Skipped", "class_counts", "load", "one_hot",
]  # fmt: skip
