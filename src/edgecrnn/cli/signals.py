"""What signals ask of a run: noted where they come, answered where the run looks."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

_ENDS = (signal.SIGINT, signal.SIGTERM)


class Asked:
    """Each question answers True for a signal that came; `status` and `reload` once each."""

    def __init__(self, reloads: bool):
        self._reloads = reloads
        self._came: set[int] = set()

    def note(self, number: int, frame: FrameType | None) -> None:
        """Remember that the signal came; of those that end, a second one ends at once."""
        # Nothing more: a handler may run inside any call, and a lock may be held there.
        self._came.add(number)
        if number in _ENDS:
            signal.signal(number, signal.SIG_DFL)

    def stop(self) -> bool:
        """Whether to end the run."""
        hung_up = not self._reloads and signal.SIGHUP in self._came
        return hung_up or any(number in self._came for number in _ENDS)

    def status(self) -> bool:
        """Whether to say how it is doing."""
        return self._once(signal.SIGUSR1)

    def reload(self) -> bool:
        """Whether to load the bundle again."""
        return self._reloads and self._once(signal.SIGHUP)

    def _once(self, number: int) -> bool:
        if number not in self._came:
            return False
        self._came.discard(number)
        return True


@contextlib.contextmanager
def asked_by_signal() -> Iterator[Asked]:
    """Note signals as long as the context lasts.

    A terminal that goes away sends SIGHUP to what was started on it; there it ends the run, and a
    service's SIGHUP loads the bundle again.
    """
    asked = Asked(reloads=sys.stdin is None or not sys.stdin.isatty())
    numbers = (*_ENDS, signal.SIGUSR1, signal.SIGHUP)
    before = {number: signal.signal(number, asked.note) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
