"""Where results go: one module a sink."""

from __future__ import annotations

from typing import Protocol

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.frame import Frame


class Sink(Protocol):
    """Takes the results of one stream in order."""

    def write(self, result: Result, frame: Frame) -> None:
        """Take one result and the frame that it was decided on."""

    def close(self) -> None:
        """Write what is still held."""
