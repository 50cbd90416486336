"""The file that the task `compress` makes of a picture: whole numbers, entropy-coded.

Layout, numbers little-endian: `ECRN`, format (1 byte), which model (8 bytes of its SHA-256), width
and height of the picture (2 bytes each), a CRC-32 of everything else (4 bytes), and the codes of
its tiles in reading order, range-coded. A code is read row by row, in a row place by place, there
number by number; how often a number takes a value depends on what it is above and to the left.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.range_coder import BITS, Reader, Writer

Code = npt.NDArray[np.uint8]  # [rows, columns, numbers]
MAGIC, FORMAT = b"ECRN", 1
_HEAD = struct.Struct("<4sB8sHHI")
SIZE = _HEAD.size
_WHOLE = 1 << BITS


@dataclass(frozen=True)
class Head:
    """What a file says before its code; `model` is the first 8 bytes of a SHA-256."""

    model: bytes
    width: int
    height: int


class Tables:
    """How often each number takes each value, uint16 [numbers, levels + 1, levels + 1, levels].

    The first index after the number is its value above, the next its value to the left; `levels`
    stands for the edge. Frequencies of all values add up to 2 ** 12, and none is 0.

    Raises:
        EdgecrnnError: they are none such.
    """

    def __init__(self, frequencies: npt.NDArray[np.int64]):
        shape = frequencies.shape
        if (
            len(shape) != 4
            or not 2 <= shape[3] <= 256
            or shape[1:3] != (shape[3] + 1, shape[3] + 1)
            or frequencies.min() < 1
            or (frequencies.sum(-1) != _WHOLE).any()
        ):
            raise EdgecrnnError(
                f"tables: expected frequencies that add up to {_WHOLE} for each number and what "
                f"stands beside it, got others of shape {shape}; convert the run again"
            )
        self.frequencies = frequencies
        self.numbers, self.levels = shape[0], shape[3]
        starts = np.concatenate([np.zeros((*shape[:3], 1), np.int64), frequencies], -1).cumsum(-1)
        # Lists: a coder goes through them one by one.
        self.starts: list[list[list[list[int]]]] = starts.tolist()

    @property
    def least_bits(self) -> float:
        """What the commonest value costs: no symbol takes less."""
        return math.log2(_WHOLE / self.frequencies.max())

    @staticmethod
    def from_json(data: bytes) -> Tables:
        """Read what `to_json` wrote."""
        try:
            frequencies = np.array(json.loads(data)["frequencies"], np.int64)
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
            raise EdgecrnnError(
                f"tables: expected JSON with frequencies, got {error!r}; convert the run again"
            ) from error
        return Tables(frequencies)

    def to_json(self) -> bytes:
        """As bundles keep them."""
        return (json.dumps({"frequencies": self.frequencies.tolist()}) + "\n").encode()


def tables_of(codes: Sequence[Code], levels: int) -> Tables:
    """The frequencies in codes like these.

    What stands beside a value was not often seen with it: its count is filled up with what is known
    of the value above alone, and that with what is known of the number alone.
    """
    numbers = codes[0].shape[-1]
    counts = np.zeros((numbers, levels + 1, levels + 1, levels))
    for code in codes:
        above, left = _beside(code, levels)
        for number in range(numbers):
            np.add.at(counts[number], (above[..., number], left[..., number], code[..., number]), 1)
    alone = _shares(counts.sum((1, 2)) + 1.0)[:, None, None]
    one = _shares(counts.sum(2)[:, :, None] + 4.0 * alone)
    return Tables(_whole(_shares(counts + 4.0 * one)))


def written(head: Head, codes: Sequence[Code], tables: Tables) -> bytes:
    """The file's bytes.

    Args:
        head: of the picture.
        codes: of its tiles in reading order, uint8 [rows, columns, numbers].
        tables: of the model.
    """
    writer = Writer()
    for code in codes:
        values = code.tolist()
        for y, x, number, starts in _places(values, code.shape[0], code.shape[1], tables):
            value = values[y][x][number]
            writer.put(starts[value], starts[value + 1] - starts[value])
    body = writer.finish()
    parts = (MAGIC, FORMAT, head.model, head.width, head.height)
    return _HEAD.pack(*parts, zlib.crc32(_HEAD.pack(*parts, 0) + body)) + body


def read_head(data: bytes, where: str) -> Head:
    """What a file says of itself, its check sum right.

    Raises:
        EdgecrnnError: it is no such file, or damaged.
    """
    if len(data) < _HEAD.size or data[:4] != MAGIC:
        raise EdgecrnnError(
            f"{where}: expected a file that edgecrnn compress wrote, got another; check the path"
        )
    magic, version, model, width, height, check = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise EdgecrnnError(
            f"{where}: expected format {FORMAT}, got {version}; install a newer edgecrnn"
        )
    plain = _HEAD.pack(magic, version, model, width, height, 0) + data[_HEAD.size :]
    if check != zlib.crc32(plain) or not (width and height):
        raise EdgecrnnError(
            f"{where}: expected the whole file, got a damaged one (its check sum is wrong); "
            "copy it again"
        )
    return Head(model, width, height)


def read(
    data: bytes, where: str, tables: Tables, shape: tuple[int, int], tile: tuple[int, int]
) -> Iterator[Code]:
    """The codes of a file, one after the other.

    Args:
        data: the file.
        where: its name, for a person.
        tables: of the model.
        shape: (rows, columns) of a code.
        tile: (height, width) of the pixels that a code stands for.

    Raises:
        EdgecrnnError: it is no such file, damaged, or too short for its picture.
    """
    head, body = read_head(data, where), data[_HEAD.size :]
    count = math.ceil(head.height / tile[0]) * math.ceil(head.width / tile[1])
    # Zeros at the end are left out, so a file's length alone says nothing; but a few bytes that
    # claim a huge picture would keep a machine busy for hours.
    least = count * shape[0] * shape[1] * tables.numbers * tables.least_bits
    if least > 8 * len(body) + 64:
        raise EdgecrnnError(
            f"{where}: expected the code of a {head.width}x{head.height} picture, got "
            f"{len(body)} bytes, which cannot hold it; make it again with edgecrnn compress"
        )
    reader = Reader(body)
    for _ in range(count):
        values = [[[0] * tables.numbers for _ in range(shape[1])] for _ in range(shape[0])]
        for y, x, number, starts in _places(values, shape[0], shape[1], tables):
            values[y][x][number] = reader.get(starts)
        yield np.array(values, np.uint8)


def _places(
    values: list[list[list[int]]], rows: int, columns: int, tables: Tables
) -> Iterator[tuple[int, int, int, list[int]]]:
    """Each (row, column, number) in order, and where values begin beside what stands there."""
    edge = [tables.levels] * tables.numbers
    for y in range(rows):
        for x in range(columns):
            above = values[y - 1][x] if y else edge
            left = values[y][x - 1] if x else edge
            for number in range(tables.numbers):
                yield y, x, number, tables.starts[number][above[number]][left[number]]


def _beside(code: Code, levels: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each value the one above and the one to the left; `levels` at the edge."""
    padded = np.pad(code.astype(np.int64), ((1, 0), (1, 0), (0, 0)), constant_values=levels)
    return padded[:-1, 1:], padded[1:, :-1]


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(counts / counts.sum(-1, keepdims=True))


def _whole(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Shares as whole numbers of 2 ** 12, at least 1 each; the largest takes what is left over."""
    levels = shares.shape[-1]
    found = 1 + np.floor(shares * (_WHOLE - levels)).astype(np.int64)
    rest = _WHOLE - found.sum(-1)
    np.put_along_axis(
        found, found.argmax(-1)[..., None], found.max(-1, keepdims=True) + rest[..., None], -1
    )
    return np.asarray(found, np.int64)
