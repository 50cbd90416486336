"""Decodes several files at a time and hands their frames on in order, within bounded memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from edgecrnn.runtime.preprocess import Image
from edgecrnn.train.data.prefetch import put

_CHUNK = 32  # frames handed over at once, fewer where they are large
_CHUNK_BYTES = 4 << 20
_AHEAD = 8  # chunks that one file may be ahead of the reader

T = TypeVar("T")
_Message = Image | BaseException | None


def decode_in_order(
    items: Sequence[T], read: Callable[[T], Iterator[Image]], threads: int = 2
) -> Iterator[Iterator[Image]]:
    """For each item, in order, an iterator of its frames in chunks [k, H, W, C].

    Each inner iterator must be used up before the next is asked for; it raises what `read`
    raised, at the place where it did. A clip longer than memory holds at most a few hundred
    frames, or 36 MB of them, at once. Closing the outer iterator ends the threads.
    """
    stop = threading.Event()
    lines: dict[int, queue.Queue[_Message]] = {}

    def work(item: T, line: queue.Queue[_Message]) -> None:
        message: _Message = None
        try:
            for chunk in _chunks(read(item)):
                if not put(line, chunk, stop):
                    return
        except BaseException as error:
            message = error
        put(line, message, stop)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for index in range(len(items)):
                for ahead in range(index, min(len(items), index + 2 * threads)):
                    if ahead not in lines:
                        lines[ahead] = queue.Queue(_AHEAD)
                        pool.submit(work, items[ahead], lines[ahead])
                yield _drain(lines[index])
                # Kept so far that a look ahead does not start it again.
                lines.pop(index - 1, None)
        finally:
            stop.set()


def _chunks(frames: Iterator[Image]) -> Iterator[Image]:
    held: list[Image] = []
    for frame in frames:
        held.append(frame)
        if len(held) == _CHUNK or len(held) * frame.nbytes >= _CHUNK_BYTES:
            yield np.stack(held)
            held = []
    if held:
        yield np.stack(held)


def _drain(line: queue.Queue[_Message]) -> Iterator[Image]:
    while (message := line.get()) is not None:
        if isinstance(message, BaseException):
            raise message
        yield message
