"""Changes of the windows that training reads."""

from __future__ import annotations

from collections.abc import Iterator

from edgecrnn.train.data.batches import Window


def every(windows: Iterator[Window], stride: int) -> Iterator[Window]:
    """Only every `stride`-th frame of each window, for a network without memory."""
    for window in windows:
        yield Window(
            window.frames[:, ::stride],
            window.targets[:, ::stride],
            window.weights[:, ::stride],
            window.reset,
        )
