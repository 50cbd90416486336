"""What a sink is, what it may know of its stream, and what a module of this folder has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from edgecrnn.runtime.answers import LABELS
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.frame import Frame

# What reaches a sink: all results, those with another label than the one before, or all results
# with the camera's own picture (to the others it comes empty).
Takes = Literal["results", "changes", "frames"]


class Sink(Protocol):
    """Takes the results of one stream in order."""

    def write(self, result: Result, frame: Frame) -> None:
        """Take one result and the frame that it was decided on."""

    def close(self) -> None:
        """Write what is still held."""


@runtime_checkable
class Waits(Protocol):
    """A sink whose writes may wait for somebody else."""

    def stop(self) -> None:
        """Wait no longer; called by another thread when the run ends."""


@runtime_checkable
class Counts(Protocol):
    """A sink that drops by itself: how many results, and why the last one."""

    dropped: int
    error: str


@dataclass(frozen=True)
class Stream:
    """What a sink may know of the stream whose results it takes.

    `source` is its name without passwords; `rate` the frames a second that the model reads, None
    for a model of pictures; `live` whether results carry unix time; `model` the SHA-256 of the
    variant's file; `several` whether other streams of this run write to the same place; `answer`
    what the model answers with, one of `edgecrnn.runtime.answers`.
    """

    source: str
    labels: tuple[str, ...]
    rate: float | None
    live: bool
    bundle: str
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    variant: str = ""
    model: str = ""
    several: bool = False
    answer: str = LABELS


class SinkEntry(Protocol):
    """A module of `edgecrnn.runtime.sinks`."""

    WHAT: str  # how it is written on the command line, for a person
    TAKES: Takes

    def matches(self, spec: str) -> bool:
        """Whether `--sink spec` means this kind of sink."""

    def open_sink(self, spec: str, stream: Stream) -> Sink:
        """Open it.

        Raises:
            EdgecrnnError: it cannot be written, or is not what it should be.
        """


def shown(spec: str) -> str:
    """The spec as it may be shown: of an address its scheme, host and port, of a command its name.

    User, password, path, query and arguments are left out: any of them may be a secret.
    """
    if spec.startswith(("exec:", "gstreamer:")):
        return " ".join(spec.split()[:1])
    scheme, separator, rest = spec.partition("://")
    if not separator:
        return spec
    head = rest.partition("?")[0] if "@" not in rest else rest.rpartition("@")[2]
    return scheme + separator + head.partition("/")[0].partition("?")[0]
