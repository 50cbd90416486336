"""Where the boxes and wires of a graph go: layers from top to bottom, few crossings, no overlap.

The method is that of Sugiyama, Tagawa and Toda (1981): longest-path layers, an order within each
layer by barycentres, then coordinates. A wire that passes a layer holds a place of its own there,
so nothing is ever drawn through a box. Plain values in, plain values out.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
# A place in a layer: a box by its number, or ("pass", wire) where a wire passes.
_Item = int | tuple[str, int]

_BETWEEN, _THREAD, _NARROW = 20.0, 10.0, 8.0  # pixels between boxes, of a passing wire, around it
_GAP, _MOST_GAP, _SLOPE = 26.0, 60.0, 0.06  # between layers, more where wires go far sideways
_SWEEPS, _ALIGNMENTS = 12, 16
_STRAIGHT = 4.0  # how much rather a passing wire stays straight than a box moves


@dataclass(frozen=True)
class Box:
    """A box's size in pixels."""

    width: float
    height: float


@dataclass(frozen=True)
class Wire:
    """From one box to others; `port` is where it leaves the lower edge, in 0..1 of the width."""

    source: int
    targets: tuple[int, ...]
    port: float = 0.5


@dataclass(frozen=True)
class Stroke:
    """A piece of a wire between two layers: down from `start` to `bend`, then over to `end`."""

    start: Point
    bend: Point
    end: Point
    target: int | None  # the box that it enters at `end`; None where it passes on


@dataclass(frozen=True)
class Layout:
    """Upper left corners of the boxes, the strokes of each wire, and the size of it all."""

    corners: tuple[Point, ...]
    strokes: tuple[tuple[Stroke, ...], ...]
    width: float
    height: float


def arrange(boxes: Sequence[Box], wires: Sequence[Wire], page: float) -> Layout:
    """Place the boxes.

    Args:
        boxes: their sizes.
        wires: a directed graph without cycles over them.
        page: the width in pixels to keep to; exceeded only where one box or the wires beside it
            need more.

    Raises:
        ValueError: there is a cycle.
    """
    if not boxes:
        return Layout((), tuple(() for _ in wires), 0.0, 0.0)
    rows = _fold(_layers(len(boxes), wires), boxes, wires, page)
    row_of = {box: index for index, row in enumerate(rows) for box in row}
    links = _links(wires, row_of)
    layers = _ordered([[*row] for row in rows], wires, row_of, links)
    centres, width = _centres(layers, boxes, links, page)
    return _drawn(layers, boxes, wires, links, centres, width)


def _layers(count: int, wires: Sequence[Wire]) -> list[int]:
    """The layer of each box: below all that it reads, and no higher above its readers than need be.

    What only reads one thing and is read moves down to its reader, so that wires are short.
    """
    into: list[set[int]] = [set() for _ in range(count)]  # wires by target
    out: list[set[int]] = [set() for _ in range(count)]
    for index, wire in enumerate(wires):
        out[wire.source].add(index)
        for target in wire.targets:
            into[target].add(index)
    order, waiting = [], [len({wires[w].source for w in into[box]}) for box in range(count)]
    ready = [box for box in range(count) if not waiting[box]]
    while ready:
        order.append(box := ready.pop(0))
        for target in sorted({t for w in out[box] for t in wires[w].targets}):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if len(order) < count:
        raise ValueError("wires: expected a graph without cycles, got one with a cycle")
    layer = [0] * count
    for box in order:
        layer[box] = max((layer[wires[w].source] + 1 for w in into[box]), default=0)
    for box in reversed(order):
        readers = [layer[target] for w in out[box] for target in wires[w].targets]
        # What reads nothing itself comes along.
        held = [w for w in into[box] if into[wires[w].source]]
        if readers and len(held) <= len(out[box]):
            layer[box] = min(readers) - 1
    return layer


def _fold(
    layer: Sequence[int], boxes: Sequence[Box], wires: Sequence[Wire], page: float
) -> list[list[int]]:
    """Rows of boxes: each layer, or several rows of it where it is wider than the page."""
    rows: list[list[int]] = []
    placed: set[int] = set()
    for depth in sorted(set(layer)):
        rest = [box for box in range(len(boxes)) if layer[box] == depth]
        while rest:
            row: list[int] = []
            while rest:
                tried = [*row, rest[0]]
                passing = _passing(wires, placed, placed | set(tried))
                needed = sum(boxes[box].width + _BETWEEN for box in tried)
                if row and needed + passing * (_THREAD + _NARROW) > page:
                    break
                row.append(rest.pop(0))
            rows.append(row)
            placed |= set(row)
    return rows


def _passing(wires: Sequence[Wire], above: set[int], done: set[int]) -> int:
    """Wires that come from above and have a reader below."""
    return sum(wire.source in above and not done.issuperset(wire.targets) for wire in wires)


_Links = dict[int, list[tuple[int, _Item, _Item]]]


def _links(wires: Sequence[Wire], row_of: Mapping[int, int]) -> _Links:
    """By the upper row: (wire, place above, place below), a wire's pieces shared by its readers."""
    links: _Links = {}
    for index, wire in enumerate(wires):
        first = row_of[wire.source]
        last = max((row_of[target] for target in wire.targets), default=first)
        for row in range(first, last):
            above: _Item = wire.source if row == first else ("pass", index)
            below: list[_Item] = [
                target for target in dict.fromkeys(wire.targets) if row_of[target] == row + 1
            ]
            if last > row + 1:
                below.append(("pass", index))
            links.setdefault(row, []).extend((index, above, item) for item in below)
    return links


def _ordered(
    layers: list[list[_Item]], wires: Sequence[Wire], row_of: Mapping[int, int], links: _Links
) -> list[list[_Item]]:
    """The places of each row from left to right: the order of fewest crossings of some sweeps."""
    for row, pieces in links.items():
        found = dict.fromkeys(below for _, _, below in pieces if isinstance(below, tuple))
        layers[row + 1].extend(found)
    best, fewest = [list(row) for row in layers], _crossings(layers, links)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            beside = row - 1 if down else row + 1
            place = {item: index for index, item in enumerate(layers[beside])}
            pieces = links.get(row - 1 if down else row, [])
            near: dict[_Item, list[int]] = {}
            for _, above, below in pieces:
                here, there = (below, above) if down else (above, below)
                near.setdefault(here, []).append(place[there])
            now = {item: float(index) for index, item in enumerate(layers[row])}
            layers[row].sort(
                key=lambda item: sum(near[item]) / len(near[item]) if item in near else now[item]
            )
        crossings = _crossings(layers, links)
        if crossings < fewest:
            best, fewest = [list(row) for row in layers], crossings
    return best


def _crossings(layers: Sequence[Sequence[_Item]], links: _Links) -> int:
    count = 0
    for row, pieces in links.items():
        above = {item: index for index, item in enumerate(layers[row])}
        below = {item: index for index, item in enumerate(layers[row + 1])}
        ends = [(above[a], below[b]) for _, a, b in pieces]
        count += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in itertools.combinations(ends, 2))
    return count


def _centres(
    layers: Sequence[Sequence[_Item]], boxes: Sequence[Box], links: _Links, page: float
) -> tuple[dict[tuple[int, _Item], float], float]:
    """The middle of each place by (row, place), and the width that was needed."""

    def width(item: _Item) -> float:
        return boxes[item].width if isinstance(item, int) else _THREAD

    offsets = []  # of each place from the row's first one, were they packed
    for row in layers:
        at, packed = 0.0, []
        for left, item in itertools.pairwise([None, *row]):
            if left is not None and item is not None:
                both = isinstance(left, int) and isinstance(item, int)
                at += (width(left) + width(item)) / 2 + (_BETWEEN if both else _NARROW)
            packed.append(at)
        offsets.append(packed)
    spans = [
        (width(row[0]) / 2, packed[-1] + width(row[-1]) / 2)
        for row, packed in zip(layers, offsets, strict=True)
    ]
    page = max([page, *(left + right for left, right in spans)])
    centres = {
        (index, item): (page + spans[index][0] - spans[index][1]) / 2 + offset
        for index, row in enumerate(layers)
        for item, offset in zip(row, offsets[index], strict=True)
    }
    near: dict[tuple[int, _Item], tuple[list[_Item], list[_Item]]] = {}
    for row, pieces in links.items():
        for _, above, below in pieces:
            near.setdefault((row, above), ([], []))[1].append(below)
            near.setdefault((row + 1, below), ([], []))[0].append(above)
    for turn in range(_ALIGNMENTS):
        # The last turn goes down, so that what reads one box alone stands straight below it.
        down = turn % 2 == 1
        for index in range(len(layers)) if down else reversed(range(len(layers))):
            wanted, weights = [], []
            for item, offset in zip(layers[index], offsets[index], strict=True):
                over, under = near.get((index, item), ([], []))
                looks = [centres[index - 1, o] for o in over]
                if not down:
                    looks = [centres[index + 1, u] for u in under]
                middle = sum(looks) / len(looks) if looks else centres[index, item]
                wanted.append(middle - offset)
                weights.append(_STRAIGHT if isinstance(item, tuple) else 1.0)
            low, high = spans[index][0], page - spans[index][1]
            for item, offset, x in zip(
                layers[index], offsets[index], _rising(wanted, weights), strict=True
            ):
                centres[index, item] = min(max(x, low), high) + offset
    edges = [(x - width(item) / 2, x + width(item) / 2) for (_, item), x in centres.items()]
    left = min(edge for edge, _ in edges)
    return {key: x - left for key, x in centres.items()}, max(edge for _, edge in edges) - left


def _rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The never falling values nearest to these, by weighted squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in zip(values, weights, strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, u, m), (b, v, n) = pools[-2:]
            pools[-2:] = [((a * u + b * v) / (u + v), u + v, m + n)]
    return [mean for mean, _, count in pools for _ in range(count)]


def _drawn(
    layers: Sequence[Sequence[_Item]],
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    links: _Links,
    centres: Mapping[tuple[int, _Item], float],
    width: float,
) -> Layout:
    """Heights, and where each wire enters and leaves."""
    entering: dict[tuple[int, _Item], list[tuple[float, int]]] = {}
    for row, pieces in links.items():
        for wire, above, below in pieces:
            entering.setdefault((row + 1, below), []).append((centres[row, above], wire))
    ports = {}  # (row, box, wire): where it enters, spread over the box's middle
    for key, arrivals in entering.items():
        item = key[1]
        breadth = boxes[item].width * 0.6 if isinstance(item, int) else 0.0
        for place, (_, wire) in enumerate(sorted(arrivals)):
            ports[key[0], item, wire] = centres[key] + breadth * (
                (place + 0.5) / len(arrivals) - 0.5
            )
    corners: dict[int, Point] = {}
    strokes: dict[int, list[Stroke]] = {index: [] for index in range(len(wires))}
    y = 0.0
    for row, items in enumerate(layers):
        real = [item for item in items if isinstance(item, int)]
        for box in real:
            corners[box] = (centres[row, box] - boxes[box].width / 2, y)
        bottom = y + max(boxes[box].height for box in real)
        pieces = links.get(row, [])
        starts = []
        for wire, above, below in pieces:
            if isinstance(above, int):
                x = corners[above][0] + boxes[above].width * wires[wire].port
                start = (x, y + boxes[above].height)
            else:
                start = (centres[row, above], y)
            starts.append((start, ports[row + 1, below, wire]))
        across = max((abs(start[0] - x) for start, x in starts), default=0.0)
        next_y = bottom + min(_MOST_GAP, _GAP + _SLOPE * across)
        for (wire, _, below), (start, x) in zip(pieces, starts, strict=True):
            target = below if isinstance(below, int) else None
            strokes[wire].append(Stroke(start, (start[0], bottom), (x, next_y), target))
        y = bottom if row == len(layers) - 1 else next_y
    return Layout(
        tuple(corners[box] for box in range(len(boxes))),
        tuple(tuple(strokes[index]) for index in range(len(wires))),
        width,
        y,
    )
