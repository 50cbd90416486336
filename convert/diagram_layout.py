"""Where the boxes and wires of a graph go: layers from top to bottom, few crossings, no overlap.

The method is that of Sugiyama, Tagawa and Toda (1981): longest-path layers, an order within each
by barycentres, then coordinates. A wire that passes a layer holds a place of its own there, so
nothing is ever drawn through a box.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Box = tuple[float, float]  # width and height in pixels
# A place in a row: a box by its number, or (wire, row) where a wire passes.
_Item = int | tuple[int, int]

_BETWEEN, _THREAD, _NARROW = 20.0, 10.0, 8.0  # pixels between boxes, of a passing wire, around it
_GAP, _MOST_GAP, _SLOPE = 26.0, 60.0, 0.06  # between layers, more where wires go far sideways
_SWEEPS, _ALIGNMENTS = 24, 16
_STRAIGHT = 4.0  # how much rather a passing wire stays straight than a box moves
_LOOSE = 0.1  # and how little a box does where nothing goes on


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
    """Place the boxes, the wires being a directed graph over them.

    `page` is the width in pixels to keep to; a single box, and the wires beside it, may need more.

    Raises:
        ValueError: there is a cycle.
    """
    if not boxes:
        return Layout((), tuple(() for _ in wires), 0.0, 0.0)
    rows = _fold(_layers(len(boxes), wires), boxes, wires, page)
    row_of = {box: index for index, row in enumerate(rows) for box in row}
    links = _links(wires, row_of)
    layers = _ordered([[*row] for row in rows], wires, links)
    centres, width = _centres(layers, boxes, links, page)
    return _drawn(layers, boxes, wires, links, centres, width)


def _layers(count: int, wires: Sequence[Wire]) -> list[int]:
    """The layer of each box: below all that it reads, near its readers, so that wires are short."""
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
                done = placed | set(tried)
                passing = sum(w.source in placed and not done.issuperset(w.targets) for w in wires)
                needed = sum(boxes[box][0] + _BETWEEN for box in tried)
                if row and needed + passing * (_THREAD + _NARROW) > page:
                    break
                row.append(rest.pop(0))
            rows.append(row)
            placed |= set(row)
    return rows


_Links = dict[int, list[tuple[int, _Item, _Item]]]


def _links(wires: Sequence[Wire], row_of: Mapping[int, int]) -> _Links:
    """By the upper row: (wire, place above, place below), a wire's pieces shared by its readers."""
    links: _Links = {}
    for index, wire in enumerate(wires):
        first = row_of[wire.source]
        last = max((row_of[target] for target in wire.targets), default=first)
        for row in range(first, last):
            above: _Item = wire.source if row == first else (index, row)
            below: list[_Item] = [
                target for target in dict.fromkeys(wire.targets) if row_of[target] == row + 1
            ]
            if last > row + 1:
                below.append((index, row + 1))
            links.setdefault(row, []).extend((index, above, item) for item in below)
    return links


def _ordered(layers: list[list[_Item]], wires: Sequence[Wire], links: _Links) -> list[list[_Item]]:
    """The places of each row from left to right: the order of fewest crossings of some sweeps."""
    for row, pieces in links.items():
        found = dict.fromkeys(below for _, _, below in pieces if isinstance(below, tuple))
        layers[row + 1].extend(found)
    best, fewest = [list(row) for row in layers], _crossings(layers, wires, links)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            mean = {item: float(index) for index, item in enumerate(layers[row])}
            near: dict[_Item, list[float]] = {}
            upper = row - 1 if down else row
            for (_, above, below), ends in zip(
                links.get(upper, []), _ends(layers, wires, links, upper), strict=True
            ):
                near.setdefault(below if down else above, []).append(ends[0 if down else 1])
            mean.update((item, sum(found) / len(found)) for item, found in near.items())
            if sweep % 4 > 1:  # ties the other way round
                layers[row].reverse()
            layers[row].sort(key=mean.__getitem__)
        crossings = _crossings(layers, wires, links)
        if crossings < fewest:
            best, fewest = [list(row) for row in layers], crossings
        if not fewest:
            return best
    for places, i in [(each, i) for each in best for i in range(len(each) - 1)] * 2:
        places[i : i + 2] = places[i + 1], places[i]
        crossings = _crossings(best, wires, links)
        if crossings > fewest:
            places[i : i + 2] = places[i + 1], places[i]
        fewest = min(crossings, fewest)
    return best


def _ends(
    layers: Sequence[Sequence[_Item]], wires: Sequence[Wire], links: _Links, row: int
) -> list[Point]:
    """Of each piece below a row: which place it comes from, with its port, and which it goes to."""
    if not (pieces := links.get(row, [])):
        return []
    above = {item: index for index, item in enumerate(layers[row])}
    below = {item: index for index, item in enumerate(layers[row + 1])}
    return [
        (above[a] + (wires[wire].port - 0.5 if isinstance(a, int) else 0.0), float(below[b]))
        for wire, a, b in pieces
    ]


def _crossings(layers: Sequence[Sequence[_Item]], wires: Sequence[Wire], links: _Links) -> int:
    return sum(
        (a - c) * (b - d) < 0
        for row in links
        for (a, b), (c, d) in itertools.combinations(_ends(layers, wires, links, row), 2)
    )


def _centres(
    layers: Sequence[Sequence[_Item]], boxes: Sequence[Box], links: _Links, page: float
) -> tuple[dict[_Item, float], float]:
    """The middle of each place, and the width that was needed."""
    breadth = {i: boxes[i][0] if isinstance(i, int) else _THREAD for row in layers for i in row}
    packed, lengths = {}, []  # the middle of each place were its row packed, and the rows' lengths
    for row in layers:
        at = 0.0
        for item, beside in itertools.zip_longest(row, row[1:]):
            packed[item] = at + breadth[item] / 2
            space = _BETWEEN if isinstance(item, int) and isinstance(beside, int) else _NARROW
            at += breadth[item] + (0.0 if beside is None else space)
        lengths.append(at)
    page = max(page, *lengths)
    centres = {
        item: packed[item] + (page - length) / 2
        for row, length in zip(layers, lengths, strict=True)
        for item in row
    }
    over: dict[_Item, list[_Item]] = {}
    under: dict[_Item, list[_Item]] = {}
    for pieces in links.values():
        for _, above, below in pieces:
            over.setdefault(below, []).append(above)
            under.setdefault(above, []).append(below)
    weight = {item: 1.0 if item in over and item in under else _LOOSE for item in breadth}
    weight |= {item: _STRAIGHT for item in breadth if isinstance(item, tuple)}
    for turn in range(_ALIGNMENTS):
        # The last turn goes down, so that what reads one box alone stands straight below it.
        down = turn % 2 == 1
        for row, length in list(zip(layers, lengths, strict=True))[:: 1 if down else -1]:
            beside = over if down else under
            wanted = []
            for item in row:
                near = beside.get(item, [item])
                pulled = sum(weight[one] * centres[one] for one in near)
                wanted.append(pulled / sum(weight[one] for one in near) - packed[item])
            moved = _rising(wanted, [weight[item] for item in row])
            for item, x in zip(row, moved, strict=True):
                centres[item] = min(max(x, 0.0), page - length) + packed[item]
    left = min(x - breadth[item] / 2 for item, x in centres.items())
    right = max(x + breadth[item] / 2 for item, x in centres.items())
    return {item: x - left for item, x in centres.items()}, right - left


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
    centres: Mapping[_Item, float],
    width: float,
) -> Layout:
    """Heights, and where each wire enters and leaves."""
    entering: dict[_Item, list[tuple[float, int]]] = {}
    for pieces in links.values():
        for wire, above, below in pieces:
            entering.setdefault(below, []).append((centres[above], wire))
    ports = {}  # (place, wire): where it enters, spread over the box's middle
    for item, arrivals in entering.items():
        breadth = boxes[item][0] * 0.6 if isinstance(item, int) else 0.0
        for place, (_, wire) in enumerate(sorted(arrivals)):
            ports[item, wire] = centres[item] + breadth * ((place + 0.5) / len(arrivals) - 0.5)
    corners: dict[int, Point] = {}
    strokes: list[list[Stroke]] = [[] for _ in wires]
    y = 0.0
    for row, items in enumerate(layers):
        real = [item for item in items if isinstance(item, int)]
        for box in real:
            corners[box] = (centres[box] - boxes[box][0] / 2, y)
        bottom = y + max(boxes[box][1] for box in real)
        pieces = links.get(row, [])
        starts = []
        for wire, above, below in pieces:
            start = (centres[above], y)
            if isinstance(above, int):
                x, (breadth, height) = corners[above][0], boxes[above]
                start = (x + breadth * wires[wire].port, y + height)
            starts.append((start, ports[below, wire]))
        across = max((abs(start[0] - x) for start, x in starts), default=0.0)
        next_y = bottom + min(_MOST_GAP, _GAP + _SLOPE * across)
        for (wire, _, below), (start, x) in zip(pieces, starts, strict=True):
            target = below if isinstance(below, int) else None
            strokes[wire].append(Stroke(start, (start[0], bottom), (x, next_y), target))
        y = bottom if row == len(layers) - 1 else next_y
    placed = tuple(corners[box] for box in range(len(boxes)))
    return Layout(placed, tuple(map(tuple, strokes)), width, y)
