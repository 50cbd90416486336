"""Divides the clips of train and val into folds: groups kept whole, classes spread evenly."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.joining import joined_places
from edgecrnn.train.data.scan import stem_of
from edgecrnn.train.data.split import group
from edgecrnn.train.data.store import Data, FrameStore

_Ints = npt.NDArray[np.int64]
LEAST = 3  # one fold is judged, one chooses the epoch and the rule, the others train


def groups_of(
    names: Sequence[str], digests: Mapping[str, str], pattern: str | None
) -> tuple[str, ...]:
    """The group of each clip; clips of one group are always in one fold.

    Args:
        names: paths of the clips below the data folder.
        digests: of their contents, by name.
        pattern: a regular expression that finds the group in a file's name, by its first
            parentheses where it has some; None: identical files and parts of one recording belong
            together.

    Raises:
        EdgecrnnError: it is no regular expression, or finds nothing in a name.
    """
    if pattern is None:
        stems = [stem_of(Path(name)) for name in names]
        of = [""] * len(names)
        for members in group(stems, [digests.get(name, name) for name in names]):
            for i in members:
                of[i] = names[members[0]]
        return tuple(of)
    try:
        finds = re.compile(pattern)
    except re.error as error:
        raise EdgecrnnError(
            f"--group: expected a regular expression, got {pattern!r} ({error}); mend it"
        ) from error
    found = []
    for name in names:
        match = finds.search(Path(name).name)
        if match is None:
            raise EdgecrnnError(
                f"--group: expected to find {pattern!r} in the name of every file, got "
                f"{Path(name).name!r}; mend the expression"
            )
        found.append(match.group(1 if finds.groups else 0))
    return tuple(found)


def joined(groups: Sequence[str], pairs: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """The groups, those of each pair of clips made one: what shows the same stays in one fold.

    Args:
        groups: the group of each clip.
        pairs: places of two clips that belong together.
    """
    first: dict[str, int] = {}
    own = [(first.setdefault(name, i), i) for i, name in enumerate(groups)]
    made = [""] * len(groups)
    for members in joined_places(len(groups), [*own, *pairs]):
        name = min(groups[i] for i in members)
        for i in members:
            made[i] = name
    return tuple(made)


def make_folds(
    truth: npt.NDArray[np.bool_],
    groups: Sequence[str],
    classes: Sequence[str],
    count: int,
    seed: int,
) -> _Ints:
    """The fold of each clip, int64 [clips] in 0..count - 1.

    The largest groups go first, each to the fold that has fewest clips of the group's classes.

    Args:
        truth: bool [clips, classes]; of several labels any number may be true of a clip.
        groups: the group of each clip.
        classes: their names.
        count: how many folds.
        seed: of the order of groups of one size.

    Raises:
        EdgecrnnError: fewer groups than folds, or a class that some training would lack.
    """
    names = sorted(set(groups))
    if len(names) < count:
        raise EdgecrnnError(
            f"--folds: expected at most as many folds as groups of clips, got {count} folds of "
            f"{len(names)} groups; take fewer"
        )
    # What no label is true of is spread like a class of its own.
    truth = np.column_stack([truth, ~truth.any(axis=1)])
    held = np.zeros((len(names), truth.shape[1]), np.int64)
    place = {name: i for i, name in enumerate(names)}
    for name, true in zip(groups, truth, strict=True):
        held[place[name]] += true
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-held[order].sum(axis=1), kind="stable")]
    filled = np.zeros((count, truth.shape[1]), np.int64)
    fold = np.zeros(len(names), np.int64)
    for index in order:
        # First by the group's own classes, then by all, so that folds are of one size.
        own = filled[:, held[index] > 0].sum(axis=1)
        fold[index] = min(range(count), key=lambda i: (own[i], filled[i].sum(), i))
        filled[fold[index]] += held[index]
    _check(filled[:, :-1], classes, count)
    return fold[[place[name] for name in groups]]


def fold_data(data: Data, pool: FrameStore, fold: _Ints, number: int) -> Data:
    """The data of one fold: it is the test, the next chooses, the others train.

    The frames are copied: a pool as large as the memory is too large.
    """
    count = int(fold.max()) + 1
    chooses = (number + 1) % count
    splits = {
        "train": _part(pool, np.flatnonzero((fold != number) & (fold != chooses))),
        "val": _part(pool, np.flatnonzero(fold == chooses)),
        "test": _part(pool, np.flatnonzero(fold == number)),
    }
    told = hashlib.sha256(data.hash.encode())
    told.update(f"{number}".encode() + fold.astype("<i8").tobytes())
    return Data(
        data.kind, data.task, data.labels, data.frame_rate, data.preprocessing, splits,
        data.skipped, told.hexdigest(), data.made_split, (), data.hash,
    )  # fmt: skip


def pooled(data: Data) -> FrameStore:
    """The clips of train and val in one store; test stays out of it."""
    stores = [data.splits[name] for name in ("train", "val") if name in data.splits]
    lengths = np.concatenate([np.diff(store.starts) for store in stores])
    return FrameStore(
        np.concatenate([store.frames for store in stores]),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([store.labels for store in stores]),
        tuple(name for store in stores for name in store.names),
        np.concatenate([store.targets for store in stores]),
    )


def _part(pool: FrameStore, chosen: _Ints) -> FrameStore:
    clips = [pool.clip(i) for i in chosen.tolist()]
    starts = np.concatenate([[0], np.cumsum([len(clip) for clip in clips])]).astype(np.int64)
    return FrameStore(
        np.concatenate(clips), starts, pool.labels[chosen],
        tuple(pool.names[i] for i in chosen.tolist()), pool.targets[chosen],
    )  # fmt: skip


def _check(filled: _Ints, classes: Sequence[str], count: int) -> None:
    """Every training, which has all folds but two that follow each other, needs every class."""
    for number in range(count):
        left = filled.sum(axis=0) - filled[number] - filled[(number + 1) % count]
        for label, clips in zip(classes, left, strict=True):
            if clips == 0:
                raise EdgecrnnError(
                    f"--folds: expected every class in every training, got none of {label!r} "
                    f"beside the folds {number + 1} and {(number + 1) % count + 1}; add clips of "
                    "it, or take other folds or groups"
                )
