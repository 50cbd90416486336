"""The file of a compressed picture: what goes in comes out, and nothing else is taken."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.coded_file import (
    SIZE,
    Code,
    Head,
    Tables,
    read,
    read_head,
    tables_of,
    written,
)
from edgecrnn.runtime.errors import EdgecrnnError

LEVELS, NUMBERS, TILE = 4, 3, (16, 24)
SHAPE = (2, 3)


def codes(seed: int, count: int) -> list[Code]:
    """Codes in which 0 comes often."""
    rng = np.random.default_rng(seed)
    return [np.minimum(rng.geometric(0.6, (*SHAPE, NUMBERS)) - 1, 3).astype(np.uint8)] * count


TABLES = tables_of(codes(0, 1) + codes(1, 1), LEVELS)


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.lists(st.integers(0, LEVELS - 1), min_size=200, max_size=200),
)
def test_what_goes_in_comes_out(width: int, height: int, values: list[int]) -> None:
    count = -(-width // TILE[1]) * -(-height // TILE[0])
    numbers = np.resize(np.array(values, np.uint8), (count, *SHAPE, NUMBERS))
    data = written(Head(b"12345678", width, height), list(numbers), TABLES)
    assert read_head(data, "x") == Head(b"12345678", width, height)
    assert np.array_equal(np.stack(list(read(data, "x", TABLES, SHAPE, TILE))), numbers)


def test_what_comes_often_is_short() -> None:
    rng = np.random.default_rng(3)
    many = [
        rng.choice(4, (*SHAPE, NUMBERS), p=[0.94, 0.02, 0.02, 0.02]).astype(np.uint8)
        for _ in range(400)
    ]
    tables = tables_of(many, LEVELS)
    bits = 8 * (len(written(Head(b"12345678", 24, 16 * 400), many, tables)) - SIZE)
    entropy = -(0.94 * np.log2(0.94) + 0.06 * np.log2(0.02))
    assert bits / (400 * 2 * 3 * NUMBERS) < 1.1 * entropy


def test_what_stands_beside_a_value_makes_it_shorter() -> None:
    rng = np.random.default_rng(4)
    flat = [np.full((*SHAPE, NUMBERS), rng.integers(4), np.uint8) for _ in range(200)]
    size = len(written(Head(b"12345678", 24, 16 * 200), flat, tables_of(flat, LEVELS))) - SIZE
    # Two bits for each number of a picture, and little more.
    assert 8 * size < 200 * (2 * NUMBERS + 3)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_byte_that_changed_is_found(place: int, change: int) -> None:
    data = bytearray(written(Head(b"12345678", 40, 30), codes(5, 4), TABLES))
    data[place % len(data)] ^= change
    with pytest.raises(EdgecrnnError, match="expected"):
        list(read(bytes(data), "x", TABLES, SHAPE, TILE))


def checked(head: bytes, body: bytes = b"") -> bytes:
    """The file with a check sum that is right."""
    return head + zlib.crc32(head + bytes(4) + body).to_bytes(4, "little") + body


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"GIF89a and more of it than that", "expected a file that edgecrnn compress wrote"),
        (b"", "expected a file that edgecrnn compress wrote"),
        (b"ECRN", "expected a file that edgecrnn compress wrote"),
        (checked(b"ECRN\x02" + b"12345678" + b"\x10\0\x10\0"), "expected format 1, got 2"),
        (checked(b"ECRN\x01" + b"12345678" + b"\0\0\x10\0"), "got a damaged one"),
        (b"ECRN\x01" + b"12345678" + b"\x10\0\x10\0" + bytes(4), "check sum is wrong"),
        (
            checked(b"ECRN\x01" + b"12345678" + b"\xff\xff\xff\xff", b"\1\2"),
            "a 65535x65535 picture, got 2 bytes, which cannot hold it",
        ),
    ],
)
def test_what_is_no_such_file(data: bytes, said: str) -> None:
    with pytest.raises(EdgecrnnError, match=said):
        list(read(data, "x", TABLES, SHAPE, TILE))


@given(st.binary(max_size=60))
def test_any_bytes_with_a_right_check_sum_are_some_picture(body: bytes) -> None:
    data = checked(b"ECRN\x01" + b"12345678" + b"\x18\0\x10\0", body)
    (code,) = read(data, "x", TABLES, SHAPE, TILE)
    assert code.shape == (*SHAPE, NUMBERS) and code.max() < LEVELS


def test_tables_are_kept_as_json() -> None:
    again = Tables.from_json(TABLES.to_json())
    assert np.array_equal(again.frequencies, TABLES.frequencies)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        json.dumps({"frequencies": []}).encode(),
        json.dumps({"frequencies": [[[[4096, 0]] * 3] * 3]}).encode(),
        json.dumps({"frequencies": [[[[4000, 95]] * 3] * 3]}).encode(),
        json.dumps({"frequencies": [[[[4000, 96]] * 3] * 2]}).encode(),
        json.dumps({"frequencies": [[[[4000, "x"]] * 3] * 3]}).encode(),
        json.dumps({"frequencies": [[[[4000, 10**30]] * 3] * 3]}).encode(),
    ],
)
def test_tables_that_are_none(data: bytes) -> None:
    with pytest.raises(EdgecrnnError, match="tables: expected"):
        Tables.from_json(data)
