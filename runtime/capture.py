"""A thread that reads a live source and keeps only its newest frame, never a queue of old ones."""

from __future__ import annotations

import threading

from edgecrnn.runtime.frame import Frame, Source

# How long a read that is under way is waited for at the end.
_PATIENCE = 1.0


class NewestFrame:
    """Gives the newest frame of a live source to one reader; counts those that it overtook.

    Where a read hangs in a driver at the end the source is left open and `hung` says so: closing a
    capture under another thread's read crashes.
    """

    def __init__(self, source: Source):
        self._source = source
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: Exception | None = None
        self._ended = self._stopping = False
        self.read = self.dropped = 0
        self.hung = False
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and close the source."""
        self._stopping = True
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)
        self.hung = self._thread.is_alive()
        if not self.hung:
            self._source.close()

    @property
    def ended(self) -> bool:
        """Whether the source has ended and its last frame was taken."""
        with self._changed:
            return self._ended and self._frame is None

    def next(self, timeout: float) -> Frame | None:
        """The newest frame that was not given yet.

        Args:
            timeout: seconds to wait for one.

        Returns:
            None where none came in that time or the source has ended; `ended` tells which.

        Raises:
            EdgecrnnError: what the source raised, after the last frame.
        """
        with self._changed:
            if self._frame is None and not self._ended:
                self._changed.wait(timeout)
            frame, self._frame = self._frame, None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def _run(self) -> None:
        try:
            while not self._stopping:
                frame = self._source.read()
                if frame is None:
                    break
                with self._changed:
                    self.read += 1
                    self.dropped += self._frame is not None
                    self._frame = frame
                    self._changed.notify()
        except Exception as error:
            # Told to the reader: a thread that dies alone would look like a silent camera.
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()
