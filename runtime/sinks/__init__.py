"""Where results go: one module an entry, found by being in this folder."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import time
from collections.abc import Callable, Sequence
from typing import cast

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.sinks._bounded import Bounded
from edgecrnn.runtime.sinks._sink import Sink, SinkEntry, Stream, Takes, shown

__all__ = ["Bounded", "Sink", "SinkEntry", "Stream", "Takes", "close_sinks", "open_sinks", "shown"]

_HURRY = 0.3  # seconds of the time to close that are left to a sink once it was told to stop


def sink_entries() -> list[SinkEntry]:
    """Every module of this folder that is no helper, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [
        cast(SinkEntry, importlib.import_module(f"{__name__}.{name}"))
        for name in names
        if not name.startswith("_")
    ]


def open_sinks(
    specs: Sequence[str], stream: Stream, warn: Callable[[str], None] = lambda sentence: None
) -> list[Bounded]:
    """Open what each `--sink spec` means, each in a thread of its own.

    What the sink of a live stream cannot take is dropped and counted, and `warn` is told; a file's
    results are waited for.

    Raises:
        EdgecrnnError: no kind of sink is written like that, or one cannot be opened; those that
            were opened before it are closed.
    """
    sinks: list[Bounded] = []
    try:
        for spec in specs:
            entry = _entry(spec)
            sink = entry.open_sink(spec, stream)
            sinks.append(Bounded(sink, shown(spec), entry.TAKES, not stream.live, warn))
    except BaseException:
        with contextlib.suppress(OSError, EdgecrnnError):
            close_sinks(sinks)
        raise
    return sinks


def close_sinks(sinks: Sequence[Sink], within: float = 1.5) -> None:
    """Close them; what those with a thread have not written in `within` seconds is dropped.

    They are closed side by side, then those without a thread.

    Raises:
        EdgecrnnError: the last of a file's results could not be written.
        BrokenPipeError: the reader of one left.
    """
    deadline = time.monotonic() + within
    bounded = [sink for sink in sinks if isinstance(sink, Bounded)]
    with contextlib.ExitStack() as direct:
        for each in sinks:
            if not isinstance(each, Bounded):
                direct.callback(each.close)
        for sink in bounded:
            sink.finish()
        for sink in bounded:
            if not sink.ended(deadline - min(_HURRY, within / 2)):
                sink.stop()
        for sink in bounded:
            sink.ended(deadline)
        for sink in bounded:
            sink.check()


def _entry(spec: str) -> SinkEntry:
    entries = sink_entries()
    for entry in entries:
        if entry.matches(spec):
            return entry
    known = ", ".join(entry.WHAT for entry in entries)
    raise EdgecrnnError(f"sink: expected {known}; got {shown(spec)!r}")
