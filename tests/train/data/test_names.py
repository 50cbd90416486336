from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.train.data.names import natural_key, recording


def test_numbers_are_ordered_by_their_value() -> None:
    names = ["frame10.jpg", "frame9.jpg", "frame1.jpg", "a.jpg", "12.jpg", "3.jpg"]
    expected = ["3.jpg", "12.jpg", "a.jpg", "frame1.jpg", "frame9.jpg", "frame10.jpg"]
    assert sorted(names, key=natural_key) == expected


@given(st.lists(st.text(max_size=8), max_size=8))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


@pytest.mark.parametrize(
    ("stem", "base"),
    [
        ("gate_part2", "gate"),
        ("gate-part 12", "gate"),
        ("gate_rev", "gate"),
        ("gate_w2_rev", "gate"),
        ("gate_s14", "gate"),
        ("gate-1 of 3", "gate"),
        ("gate - 2 of 3", "gate"),
        ("gate (2 of 3)", "gate"),
        ("gate", None),
        ("gate2", None),
        ("gate_2", None),
        ("s075_4597", None),
        ("_rev", None),
        ("review", None),
    ],
)
def test_markers_of_parts(stem: str, base: str | None) -> None:
    assert recording(stem) == base


@given(st.text(max_size=20))
def test_a_recording_carries_no_marker(stem: str) -> None:
    base = recording(stem)
    assert base is None or (base and recording(base) is None)
