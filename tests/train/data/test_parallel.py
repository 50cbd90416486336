from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator

import numpy as np
import pytest

from edgecrnn.train.data.decode import BadFileError
from edgecrnn.train.data.parallel import decode_in_order


def frames(count: int) -> Iterator[np.ndarray]:
    if count == 13:
        raise BadFileError("unlucky")
    for i in range(count):
        yield np.full((2, 2, 3), i % 256, np.uint8)
    if count == 70:
        raise BadFileError("broken at the end")


def test_frames_come_in_order_whatever_takes_long() -> None:
    counts = [5, 900, 13, 0, 70, 33, 1, 1, 1]
    seen: list[object] = []
    for chunks in decode_in_order(counts, frames):
        got = 0
        try:
            for chunk in chunks:
                expected = np.arange(got, got + len(chunk)) % 256
                assert np.array_equal(chunk[:, 0, 0, 0], expected)
                got += len(chunk)
            seen.append(got)
        except BadFileError as error:
            seen.append(str(error))
    assert seen == [5, 900, "unlucky", 0, "broken at the end", 33, 1, 1, 1]


def test_a_long_clip_is_not_held_in_memory() -> None:
    made = 0

    def endless(_: int) -> Iterator[np.ndarray]:
        nonlocal made
        while True:
            made += 1
            yield np.zeros((2, 2, 3), np.uint8)

    outer = decode_in_order([0], endless)
    inner = next(outer)
    next(inner)
    time.sleep(0.3)
    held = made
    time.sleep(0.2)
    assert made == held <= 32 * 11
    before = threading.active_count()
    assert isinstance(outer, Generator)
    outer.close()
    assert threading.active_count() < before


def test_other_exceptions_pass() -> None:
    def fail(_: int) -> Iterator[np.ndarray]:
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        for chunks in decode_in_order([1, 2], fail):
            list(chunks)
