"""How the run is doing, as /status and the page tell it."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgecrnn import __version__
from edgecrnn.runtime.machine import Reading, machine_name, read_machine
from edgecrnn.runtime.page.watched import Watched

if TYPE_CHECKING:
    from edgecrnn.runtime.live import Live

_GOOD_FOR = 3.0  # seconds that a reading of the machine is good for


class Facts:
    """Of the streams and of the machine.

    Args:
        live: the run.
        streams: what is watched, in the order of the run's.
    """

    def __init__(self, live: Live, streams: Sequence[Watched]):
        self._live, self._streams = live, streams
        self._reading: Reading | None = None
        self._until = 0.0
        self._name = machine_name()

    async def look(self) -> None:
        """Read the machine again where that is due; what it asks may take its time."""
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + _GOOD_FOR
            self._reading = await asyncio.to_thread(read_machine)

    def all(self) -> dict[str, Any]:
        """JSON values: `streams` as in `Status`, `machine` as in `Reading`."""
        reading = {} if self._reading is None else dataclasses.asdict(self._reading)
        statuses = self._live.statuses()
        return {
            "version": __version__,
            "streams": [{**status.facts(), "well": status.well} for status in statuses],
            "machine": {"name": self._name, **reading},
        }

    def about(self, number: int) -> dict[str, Any]:
        """What a stream is, with its scores so far."""
        return {"stream": number, **self._streams[number].about()}
