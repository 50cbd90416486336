"""Progress of a training on standard error: a line that moves on a terminal, a line an epoch."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from edgecrnn.train.fit import Epoch

_BAR = 24
# Seconds between two drawings of the moving line.
_REDRAW = 0.2


class TrainingProgress:
    """Draws what the training loop reports."""

    def __init__(self, out: TextIO | None = None):
        self._out = out or sys.stderr
        self._moves = self._out.isatty()
        self._started: dict[str, tuple[float, int]] = {}
        self._drawn = 0.0

    def step(self, part: str, epoch: int, epochs: int, step: int, steps: int, loss: float) -> None:
        """A step of `part` (network or baseline) is done; epochs count from 0."""
        now = time.monotonic()
        started, first = self._started.setdefault(part, (now, epoch))
        if not self._moves or now - self._drawn < _REDRAW:
            return
        self._drawn = now
        done, total = (epoch - first) * steps + step, (epochs - first) * steps
        left = (now - started) / max(1, done) * (total - done)
        filled = round(_BAR * done / max(1, total))
        bar = "█" * filled + "░" * (_BAR - filled)
        self._out.write(
            f"\r\x1b[K{part} {epoch + 1}/{epochs} {bar} loss {loss:.3f}, {_minutes(left)} left"
        )
        self._out.flush()

    def epoch(self, part: str, line: Epoch) -> None:
        """An epoch of `part` is done."""
        start = "\r\x1b[K" if self._moves else ""
        self._out.write(
            f"{start}{part} {line.epoch}: loss {line.loss:.3f}, accuracy {line.accuracy:.1%}; "
            f"validation {line.val_loss:.3f}, {line.val_accuracy:.1%}; "
            f"{line.samples_per_second:.0f} frames/s, {line.waiting:.1%} waiting for data\n"
        )
        self._out.flush()


class PictureProgress(TrainingProgress):
    """The same for tasks whose loss is all that an epoch tells."""

    def epoch(self, part: str, line: Epoch) -> None:
        """An epoch of `part` is done."""
        start = "\r\x1b[K" if self._moves else ""
        self._out.write(
            f"{start}{part} {line.epoch}: loss {line.loss:.4f}; validation {line.val_loss:.4f}; "
            f"{line.samples_per_second:.0f} pictures/s\n"
        )
        self._out.flush()


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
