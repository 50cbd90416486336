"""How late the frames of a stream are, told by their own time stamps."""

from __future__ import annotations

# A wait of this many seconds is a stall. Shorter ones are the network's and the scheduler's: so a
# clock of another rate than ours, or stamps counted from a stated rate, add up to nothing.
_STALL = 0.5
_AT_ONCE = 0.005


class Freshness:
    """Compares the time between frames with the time between their stamps.

    After a stall a stream goes on where it stood: what was sent meanwhile comes first, at once, and
    each such frame is as late as the stall was long, less what has been caught up. Where frames
    were lost instead, the stamps leap with the time and nothing is late.

    `hurries` says whether the newest frame came much sooner after the one before than it was made
    after it: then it had been kept somewhere. Of the first frame that cannot be ruled out.
    """

    def __init__(self) -> None:
        self.hurries = True
        self._late = 0.0
        self._last: tuple[float, float] | None = None

    def late(self, stamp: float, came: float) -> float:
        """Seconds by which a frame is late.

        Args:
            stamp: the stream's time of the frame, in seconds from anywhere.
            came: monotonic time at which it came.
        """
        last, self._last = self._last, (stamp, came)
        if last is None:
            return 0.0
        step, gap = stamp - last[0], came - last[1]
        self.hurries = gap < (step / 2 if step > 0 else _AT_ONCE)
        if step <= 0:
            # No stamps at all, or the stream's clock was set anew: nothing can be told.
            self._late = 0.0
        elif gap > _STALL or step > gap:
            self._late = max(0.0, self._late + gap - step)
        return self._late
