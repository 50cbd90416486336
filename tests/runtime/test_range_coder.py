"""Symbols to bytes and back, at what their frequencies say they cost."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.range_coder import BITS, Reader, Writer

WHOLE = 1 << BITS


@st.composite
def messages(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """(where each symbol begins, symbols)."""
    cuts = draw(st.sets(st.integers(1, WHOLE - 1), min_size=1, max_size=15))
    starts = [0, *sorted(cuts), WHOLE]
    return starts, draw(st.lists(st.integers(0, len(starts) - 2), max_size=400))


@given(messages())
def test_what_goes_in_comes_out(message: tuple[list[int], list[int]]) -> None:
    starts, symbols = message
    sizes = [b - a for a, b in itertools.pairwise(starts)]
    writer = Writer()
    for symbol in symbols:
        writer.put(starts[symbol], sizes[symbol])
    data = writer.finish()
    reader = Reader(data)
    assert [reader.get(starts) for _ in symbols] == symbols
    cost = sum(-math.log2(sizes[symbol] / WHOLE) for symbol in symbols)
    assert 8 * len(data) <= 1.001 * cost + 16


def test_a_carry_runs_through_bytes_that_are_full() -> None:
    # The last part of the whole again and again: the low end creeps up to where it overflows.
    starts = [0, WHOLE - 1, WHOLE]
    symbols = [1, *[0] * 5, *[1] * 40, 0, 1, 0]
    writer = Writer()
    for symbol in symbols:
        writer.put(starts[symbol], starts[symbol + 1] - starts[symbol])
    reader = Reader(writer.finish())
    assert [reader.get(starts) for _ in symbols] == symbols
