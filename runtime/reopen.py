"""A live source that is opened again whenever it ends or fails, with growing pauses between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edgecrnn.runtime.capture import Stoppable
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, Source
from edgecrnn.runtime.settings import check, setting

_GROWTH = 2.0  # each pause over the one before
# A source that gave frames for so many longest pauses has recovered: pauses begin small again.
_RECOVERED = 2.0
# To connect, to open and to give a first frame may each take the source's time-out.
_TO_OPEN = 3

Warn = Callable[[str], None]


@dataclass(frozen=True)
class ReopenSettings:
    """What happens when a live source ends or fails."""

    reopen: bool = setting(True, "open a live source again when it ends or fails")
    first_pause: float = setting(
        0.5, "pause before it is opened again; each further one is twice as long", unit="s",
        least=0.01, most=3600.0,
    )  # fmt: skip
    longest_pause: float = setting(3.0, "what pauses grow to", unit="s", least=0.01, most=3600.0)

    def __post_init__(self) -> None:
        check(self)
        if self.longest_pause < self.first_pause:
            raise EdgecrnnError(
                f"longest_pause: expected at least the first pause of {self.first_pause:g} s, "
                f"got {self.longest_pause:g} s"
            )


class Reopening:
    """Reads like the source that it holds; frames carry how often it was opened before.

    Args:
        source: open.
        again: opens it another time.
        settings: how long the pauses are.
        warn: is told when the source went away and when it is back; of one that comes and goes
            only the first time, until it has stayed for a while.
        timeout: seconds that the source itself may take for a frame.
    """

    live = True

    def __init__(
        self,
        source: Source,
        again: Callable[[], Source],
        settings: ReopenSettings,
        warn: Warn,
        timeout: float = 0.0,
    ):
        self.name, self.about, self.rate = source.name, source.about, source.rate
        self.reopened = 0
        self.attempts = 0
        self.error = ""
        self._source: Source | None = source
        self._again, self._settings, self._warn = again, settings, warn
        self._timeout, self._until = timeout, 0.0
        self._stopped = threading.Event()
        self._notes: tuple[str, ...] = ()
        self._next = self._base = 0
        self._pause = settings.first_pause
        self._opened = time.monotonic()
        self._tells = True

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of every time that it was open, the last few."""
        source = self._source
        return (self._notes + (() if source is None else source.notes))[-8:]

    @property
    def away(self) -> bool:
        """Whether the source is being opened again just now."""
        return self._source is None

    @property
    def in_time(self) -> bool:
        """Whether what it waits for may take so long: a pause, or a frame within its time-out."""
        return time.monotonic() <= self._until

    def read(self) -> Frame | None:
        """The next frame, however long that takes; None once it was stopped.

        `index` counts on over every time that it was open, `opening` counts these times from 0.
        """
        while not self._stopped.is_set():
            source = self._source or self._open()
            if source is None:
                return None
            self._until = time.monotonic() + self._timeout
            try:
                frame = source.read()
                reason = f"{self.name}: the stream ended"
            except (EdgecrnnError, OSError) as error:
                frame, reason = None, str(error)
            if frame is not None:
                if not self.reopened:
                    self._next = frame.index + 1
                    return frame
                index = self._base + frame.index
                self._next = index + 1
                return Frame(frame.image, index, frame.time, frame.captured, self.reopened)
            self._lose(source, reason)
        return None

    def stop(self) -> None:
        """End a read that pauses or waits; called by another thread before `close`."""
        self._stopped.set()
        source: object = self._source
        if isinstance(source, Stoppable):
            source.stop()

    def close(self) -> None:
        """Let go of the source."""
        self._stopped.set()
        if self._source is not None:
            self._source.close()

    def _lose(self, source: Source, reason: str) -> None:
        self._notes = (self._notes + source.notes)[-8:]
        self._source = None
        source.close()
        self.error = reason
        stayed = time.monotonic() - self._opened >= _RECOVERED * self._settings.longest_pause
        if stayed:
            self._pause = self._settings.first_pause
        self._tells = stayed or not self.reopened
        self._tell(f"{reason}; opening it again")

    def _open(self) -> Source | None:
        """Open it, however many times that takes; None once it was stopped."""
        while not self._paused():
            self.attempts += 1
            self._until = time.monotonic() + _TO_OPEN * self._timeout
            try:
                source = self._again()
            except (EdgecrnnError, OSError) as error:
                self.error = str(error)
                continue
            self._source, self._opened = source, time.monotonic()
            self._base = self._next
            self.about, self.rate = source.about, source.rate
            self.reopened += 1
            self._tell(f"{self.name}: it is back: {self.about}")
            return source
        return None

    def _paused(self) -> bool:
        """Pause, the next time for longer; whether it was stopped meanwhile."""
        pause = self._pause
        self._pause = min(_GROWTH * pause, self._settings.longest_pause)
        self._until = time.monotonic() + pause
        return self._stopped.wait(pause)

    def _tell(self, sentence: str) -> None:
        if self._tells and not self._stopped.is_set():
            self._warn(sentence)
