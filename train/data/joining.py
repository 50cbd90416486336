"""Which files belong together, where it is said of pairs of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


def joined_places(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The places 0 to count - 1 in groups, by way of others too, each and all in rising order.

    Args:
        count: how many places there are.
        pairs: of places that belong together.
    """
    parent = list(range(count))

    def top(place: int) -> int:
        while parent[place] != place:
            parent[place] = place = parent[parent[place]]
        return place

    for first, second in pairs:
        parent[top(second)] = top(first)
    groups: dict[int, list[int]] = defaultdict(list)
    for place in range(count):
        groups[top(place)].append(place)
    return list(groups.values())
