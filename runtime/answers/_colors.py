"""One color for each class, apart from each other for eyes of every kind (Okabe and Ito, 2008)."""

from __future__ import annotations

_BGR = (
    (0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (178, 114, 0), (0, 94, 213),
    (167, 121, 204), (160, 160, 160),
)  # fmt: skip


def color(number: int) -> tuple[int, int, int]:
    """BGR of the class with that number; after eight they come again."""
    return _BGR[number % len(_BGR)]
