"""A range coder (Martin, 1979): symbols to bytes, at the cost that their frequencies say.

Frequencies of a symbol add up to 2 ** BITS. The largest packages for this have no wheels for
boards; these are the two functions that are needed.
"""

from __future__ import annotations

from collections.abc import Sequence

BITS = 12
_TOP, _MASK = 1 << 24, 0xFFFFFFFF


class Writer:
    """Takes symbols as parts of the whole: (where it begins, how large it is)."""

    def __init__(self) -> None:
        self._low, self._range = 0, _MASK
        self._held, self._pending = 0, 0  # bytes that a carry may still change
        self._out = bytearray()
        self._begun = False

    def put(self, start: int, size: int) -> None:
        """One symbol; `size` is its frequency, `start` the sum of those before it."""
        part = self._range >> BITS
        self._low += part * start
        self._range = part * size
        while self._range < _TOP:
            self._range <<= 8
            self._shift()

    def finish(self) -> bytes:
        """All bytes; those at the end that are zero are left out, a reader adds them again."""
        # Of all numbers that say the same, the one that ends in the most zeros.
        for zeros in range(32, -1, -8):
            value = -(-self._low >> zeros) << zeros
            if value < self._low + self._range:
                self._low = value
                break
        for _ in range(5):
            self._shift()
        return bytes(self._out).rstrip(b"\0")

    def _shift(self) -> None:
        """Move the highest byte out, unless a carry may still reach it."""
        if self._low < 0xFF000000 or self._low > _MASK:
            carry = self._low >> 32
            if self._begun:
                self._out.append((self._held + carry) & 0xFF)
            self._out.extend(bytes([(0xFF + carry) & 0xFF]) * self._pending)
            self._held, self._pending, self._begun = (self._low >> 24) & 0xFF, 0, True
        else:
            self._pending += 1
        self._low = (self._low & 0x00FFFFFF) << 8


class Reader:
    """Gives the symbols again, of what a `Writer` made."""

    def __init__(self, data: bytes):
        self._data, self._place = data, 4
        self._range = _MASK
        self._code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def get(self, starts: Sequence[int]) -> int:
        """The next symbol; `starts` holds where each begins, and 2 ** BITS at its end."""
        part = self._range >> BITS
        value = min(self._code // part, (1 << BITS) - 1)
        symbol = 0
        while starts[symbol + 1] <= value:
            symbol += 1
        self._code -= part * starts[symbol]
        self._range = part * (starts[symbol + 1] - starts[symbol])
        while self._range < _TOP:
            self._range <<= 8
            byte = self._data[self._place] if self._place < len(self._data) else 0
            self._code = ((self._code << 8) | byte) & _MASK
            self._place += 1
        return symbol
