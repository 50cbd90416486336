"""Divides files into train, val and test: stratified, by a seed, groups kept whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.joining import joined_places
from edgecrnn.train.data.names import recording


def group(stems: Sequence[str], digests: Sequence[str]) -> list[list[int]]:
    """Groups of files that must stay on one side, as lists of places in `stems`.

    Two files belong together where their contents are the same, or where they are parts of
    one recording (see `names.recording`), whatever their classes: a clip played backwards is
    often another class.
    """
    bases = [recording(stem) for stem in stems]
    marked = {base for base in bases if base}
    first: dict[tuple[str, str], int] = {}
    pairs = []
    for i, (stem, base, digest) in enumerate(zip(stems, bases, digests, strict=True)):
        keys = [("content", digest)]
        # Equal stems alone say nothing: left/001.mp4 and right/001.mp4 are two recordings.
        if base or stem in marked:
            keys.append(("recording", base or stem))
        pairs += [(first.setdefault(key, i), i) for key in keys]
    return joined_places(len(stems), pairs)


def assign(
    stems: Sequence[str],
    classes: Sequence[int],
    digests: Sequence[str],
    labels: Sequence[str],
    shares: Mapping[str, float],
    seed: int,
) -> list[str]:
    """The split of each file: 'train' or a key of `shares`.

    Every class with enough groups is in every split. Args: file stems without suffix, class
    numbers, content digests, the classes' names, the share of files for each split beside
    train, the seed.

    Raises:
        EdgecrnnError: all files of a class belong to one group, so it cannot be divided.
    """
    groups = group(stems, digests)
    counts = [Counter(classes[i] for i in members) for members in groups]
    of_class = {c: [g for g, n in enumerate(counts) if c in n] for c in set(classes)}
    for c, holders in of_class.items():
        if len(holders) < 2:
            raise EdgecrnnError(
                f"{labels[c]}: expected at least two recordings to divide into train and "
                f"{' and '.join(shares)}, got {sum(n[c] for n in counts)} files that are the same "
                "or parts of one clip; add another or give the splits as folders"
            )
    total = Counter(classes)
    wanted = _wanted(total, {c: len(h) for c, h in of_class.items()}, shares)
    left = {split: dict(need) for split, need in wanted.items()}
    order = np.random.default_rng(seed).permutation(len(groups))
    chosen = [""] * len(groups)
    # The largest first: the small ones even out what they leave.
    for g in sorted(order.tolist(), key=lambda g: -len(groups[g])):
        scores = {s: sum(n * left[s][c] / total[c] for c, n in counts[g].items()) for s in left}
        chosen[g] = max(scores, key=lambda s: scores[s])
        for c, n in counts[g].items():
            left[chosen[g]][c] -= n
    _fill_gaps(chosen, counts, of_class, wanted)
    result = [""] * len(stems)
    for members, split in zip(groups, chosen, strict=True):
        for i in members:
            result[i] = split
    return result


def _wanted(
    total: Mapping[int, int], groups: Mapping[int, int], shares: Mapping[str, float]
) -> dict[str, dict[int, float]]:
    """How many files of each class each split should get; at least one where there are enough."""
    wanted: dict[str, dict[int, float]] = {"train": {}, **{s: {} for s in shares}}
    for c, n in total.items():
        for place, (split, share) in enumerate(shares.items()):
            wanted[split][c] = max(n * share, 1.0 if groups[c] >= place + 2 else 0.0)
        wanted["train"][c] = max(1.0, n - sum(wanted[s][c] for s in shares))
    return wanted


def _fill_gaps(
    chosen: list[str],
    counts: Sequence[Mapping[int, int]],
    of_class: Mapping[int, list[int]],
    wanted: Mapping[str, Mapping[int, float]],
) -> None:
    """Move the smallest group that can be spared into each split that lacks a class."""
    for split, need in wanted.items():
        for c, amount in sorted(need.items()):
            if amount < 1 or any(chosen[g] == split for g in of_class[c]):
                continue
            spare = [g for g in of_class[c] if _spared(g, chosen, counts, of_class)]
            if spare:
                chosen[min(spare, key=lambda g: (sum(counts[g].values()), g))] = split


def _spared(
    g: int,
    chosen: Sequence[str],
    counts: Sequence[Mapping[int, int]],
    of_class: Mapping[int, list[int]],
) -> bool:
    """Whether its split keeps each of the group's classes without it."""
    return all(sum(chosen[h] == chosen[g] for h in of_class[c]) > 1 for c in counts[g])
