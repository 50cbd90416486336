"""Places that belong together, by pairs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.train.data.joining import joined_places


def test_by_way_of_others_and_alone() -> None:
    assert joined_places(6, [(4, 1), (2, 5), (1, 5)]) == [[0], [1, 2, 4, 5], [3]]
    assert joined_places(0, []) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_every_place_is_in_one_group_with_its_partners(pairs: list[tuple[int, int]]) -> None:
    groups = joined_places(10, pairs)
    assert sorted(place for group in groups for place in group) == list(range(10))
    assert groups == sorted(sorted(group) for group in groups)
    of = {place: n for n, group in enumerate(groups) for place in group}
    assert all(of[one] == of[other] for one, other in pairs)
    # Nothing is joined that no pair joins.
    assert len(groups) >= 10 - len(pairs)
