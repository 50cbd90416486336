"""Where results go: one module a sink."""

from __future__ import annotations

from typing import Protocol

from edgecrnn.runtime.classifier import Result


class Sink(Protocol):
    """Takes the results of one stream in order."""

    def write(self, result: Result) -> None:
        """Take one result."""

    def close(self) -> None:
        """Write what is still held."""
