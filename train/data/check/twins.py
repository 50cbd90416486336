"""What near-duplicates mean: a leak between splits, a wrong label, or fewer files than it seems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgecrnn.train.data.check.finding import Entry, Finding, counted
from edgecrnn.train.data.check.near_duplicates import LEAST, NearDuplicates, Pair
from edgecrnn.train.data.check.reading import Reading
from edgecrnn.train.data.joining import joined_places
from edgecrnn.train.data.layout import SPLITS, Layout

_MANY = 0.05  # share of the files that look like another class: then a wrong label is not the cause
_DROWNED = 0.2  # share of a split that looks like another


def twin_findings(
    layout: Layout, readings: Sequence[Reading], near: NearDuplicates
) -> tuple[Finding, ...]:
    """Findings on pairs that show the same."""
    items = [reading.item for reading in readings]
    digests = [item.digest for item in items]

    def same(pair: Pair) -> bool:
        return digests[pair.first] == digests[pair.second]

    apart = [p for p in near.pairs if items[p.first].split != items[p.second].split]
    labels = [p for p in near.pairs if items[p.first].label != items[p.second].label]
    told = {*apart, *labels}
    within = [pair for pair in near.pairs if pair not in told]
    found = [
        _shared(layout, readings, [p for p in apart if same(p)]),
        _leak(layout, readings, [p for p in apart if not same(p)]),
        *_labels(
            layout,
            readings,
            [p for p in labels if same(p)],
            [p for p in labels if not same(p)],
        ),
        _within(layout, readings, within),
    ]
    return tuple(finding for finding in found if finding is not None)


def _name(layout: Layout, readings: Sequence[Reading], place: int) -> str:
    return layout.name(readings[place].item)


def _of_later_split(readings: Sequence[Reading], pairs: Iterable[Pair]) -> dict[int, Pair]:
    """For each file of val or test the pair with what it is most like in an earlier split."""
    best: dict[int, Pair] = {}
    for pair in pairs:
        later = max((pair.first, pair.second), key=lambda p: SPLITS.index(readings[p].item.split))
        if later not in best or pair.difference < best[later].difference:
            best[later] = pair
    return best


def _entries(
    layout: Layout, readings: Sequence[Reading], best: dict[int, Pair]
) -> tuple[Entry, ...]:
    ordered = sorted(best.items(), key=lambda each: (each[1].difference, each[0]))
    return tuple(
        Entry(
            (
                _name(layout, readings, later),
                _name(layout, readings, pair.first + pair.second - later),
            ),
            _said(readings, pair),
        )
        for later, pair in ordered
    )


def _said(readings: Sequence[Reading], pair: Pair) -> str:
    if readings[pair.first].item.digest == readings[pair.second].item.digest:
        return "identical"
    return f"difference {pair.difference:.2f}"


def _shared(layout: Layout, readings: Sequence[Reading], pairs: list[Pair]) -> Finding | None:
    if not pairs:
        return None
    best = _of_later_split(readings, pairs)
    return Finding(
        "shared",
        "serious",
        f"{counted(len(best), 'file')} of val or test identical to one in another split: "
        "the score is on what was learned",
        "delete one of each; training refuses a file of train in val or test without "
        "--allow-shared",
        _entries(layout, readings, best),
    )


def _leak(layout: Layout, readings: Sequence[Reading], pairs: list[Pair]) -> Finding | None:
    if not pairs:
        return None
    best = _of_later_split(readings, pairs)
    title = f"{counted(len(best), 'file')} of val or test nearly the same as one in another split"
    judged = sum(1 for reading in readings if reading.item.split != "train")
    if layout.made_split:
        remedy = (
            "the split that training makes divides them: give splits as folders, with what was "
            "recorded together in one, or name its parts a_part1, a_part2"
        )
    elif len(best) > _DROWNED * judged:
        remedy = (
            "so many: pictures of one recording or one unchanging scene lie in both; divide by "
            "recording, day or place, not file by file"
        )
    else:
        remedy = "move them into the split of their twin, or delete them: the score is too good"
    return Finding("leak", "serious", title, remedy, _entries(layout, readings, best))


def _labels(
    layout: Layout, readings: Sequence[Reading], same: list[Pair], alike: list[Pair]
) -> list[Finding]:
    """Files under two classes: identical ones are a wrong label, so are a few that look alike."""
    what = "classes" if layout.task == "classify" else "sets of labels"
    files = {place for pair in alike for place in (pair.first, pair.second)}
    many = len(files) > max(2, _MANY * len(readings))
    wrong = same if many else [*same, *alike]
    one = layout.kind.removesuffix("s")
    found = []
    if wrong:
        found.append(
            Finding(
                "labels",
                "serious",
                f"{counted(len(wrong), 'pair')} of files that show the same {one} under two {what}",
                "decide which is right and delete the other: one of the labels is wrong",
                _pair_entries(layout, readings, wrong),
            )
        )
    if many:
        found.append(
            Finding(
                "alike",
                "warning",
                f"{counted(len(files), 'file')} look like one of other {what}, to "
                f"{LEAST:.0%} of the contrast",
                "what tells them apart is too small to see at 32x32 pixels, or many labels are "
                "wrong: crop closer, or train with a larger --size",
                _pair_entries(layout, readings, alike),
            )
        )
    return found


def _pair_entries(
    layout: Layout, readings: Sequence[Reading], pairs: list[Pair]
) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            (_name(layout, readings, pair.first), _name(layout, readings, pair.second)),
            _said(readings, pair),
        )
        for pair in sorted(pairs, key=lambda pair: (pair.difference, pair.first))
    )


def _within(layout: Layout, readings: Sequence[Reading], pairs: list[Pair]) -> Finding | None:
    """Files of one class and split that are alike, in groups."""
    if not pairs:
        return None
    groups = _groups(pairs)
    files = sum(len(group) for group in groups)
    return Finding(
        "repeats",
        "note",
        f"{counted(files, 'file')} nearly the same as another of their class and split, in "
        f"{counted(len(groups), 'group')}",
        "nothing is wrong, but they teach little more than one of each group: "
        f"{files - len(groups):,} fewer than it seems",
        tuple(Entry(tuple(_name(layout, readings, place) for place in group)) for group in groups),
    )


def _groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Files joined by pairs, the largest groups first."""
    both = [(pair.first, pair.second) for pair in pairs]
    count = 1 + max(map(max, both))
    groups = [group for group in joined_places(count, both) if len(group) > 1]
    return sorted(groups, key=lambda group: (-len(group), group[0]))
