"""When a result is out: what latency is measured to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks import Sink, Stream

Published = Callable[[Frame], None]
# Opens the sinks of a stream; one of them says, by calling, when a frame's result is out.
OpenSinks = Callable[[Stream, Published], Sequence[Sink]]


class Publishing:
    """A sink that says so once a result is out.

    Args:
        sink: takes the results.
        published: is called after each with its frame, in the same thread.
    """

    def __init__(self, sink: Sink, published: Published):
        self._sink, self._published = sink, published

    def write(self, result: Result, frame: Frame) -> None:
        """Hand it on, then say so."""
        self._sink.write(result, frame)
        self._published(frame)

    def close(self) -> None:
        """Close the sink."""
        self._sink.close()


class Handed:
    """Stands after the other sinks: what comes here was handed to all of them."""

    def __init__(self, published: Published):
        self._published = published

    def write(self, result: Result, frame: Frame) -> None:
        """Say so."""
        self._published(frame)

    def close(self) -> None:
        """Nothing is held."""
