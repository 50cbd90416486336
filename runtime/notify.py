"""Tells systemd that the run is ready, and that it still classifies (sd_notify, by its protocol).

A service of Type=notify names a datagram socket in NOTIFY_SOCKET; with WatchdogSec it is to hear
from the process that often, or kills it. See sd_notify(3).
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence

from edgecrnn.runtime.printable import printable

# systemd leaves fields of such names alone; the board's own supervisor reads it.
FRAMES = "X_EDGECRNN_FRAMES"
# Microseconds for which a service that starts may take longer than its unit says.
EXTEND = "EXTEND_TIMEOUT_USEC"
_SAYS = 2.0  # seconds between two lines of `systemctl status`


def not_for_children(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without what is for the service alone: what it starts is not it."""
    own = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
    return {name: value for name, value in environment.items() if name not in own}


class Notifier:
    """Sends to the service manager; does nothing where there is none.

    Args:
        environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ):
        address = environment.get("NOTIFY_SOCKET", "")
        # An @ stands for the null byte of Linux's abstract sockets.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.get("WATCHDOG_USEC", "") if address and mine else ""
        self.watchdog = int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0

    def send(self, *lines: str) -> None:
        """For example "READY=1"; a manager that does not listen is no reason to end."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.setblocking(False)
            # A line end in a label or in a file's name would begin another message.
            one.sendto("\n".join(map(printable, lines)).encode(), self._address)


class Heartbeat:
    """Feeds the watchdog only while every stream makes progress.

    Progress is a frame classified; for a source that is away, an attempt to open it again, which a
    restart would not do better; and a pause that a person asked for. None is expected while a
    source takes no longer than it may. That the process is alive is none: a model, or a driver that
    hangs past its time-out, ends in the watchdog.
    """

    def __init__(self, notifier: Notifier):
        self._notifier = notifier
        self._fed = self._said = time.monotonic()
        self._before: dict[int, int] = {}
        self._ready = False

    def beat(
        self,
        progress: Sequence[int | None],
        ready: bool,
        status: Callable[[], str],
        frames: int = 0,
    ) -> None:
        """Call it some times a second.

        Args:
            progress: of each stream a number that grows with it; None where none is expected.
            ready: whether each stream has classified a frame.
            status: makes one line for `systemctl status`.
            frames: classified since the run began.
        """
        now = time.monotonic()
        if ready and not self._ready:
            self._ready = True
            self._notifier.send("READY=1", f"STATUS={status()}", f"{FRAMES}={frames}")
        elif now - self._said >= _SAYS:
            self._said = now
            self._notifier.send(f"STATUS={status()}", f"{FRAMES}={frames}")
        # A third of the time leaves two more chances before the manager loses patience.
        if not self._notifier.watchdog or now - self._fed < self._notifier.watchdog / 3:
            return
        counts = {place: count for place, count in enumerate(progress) if count is not None}
        if all(count > self._before.get(place, 0) for place, count in counts.items()):
            self._before, self._fed = counts, now
            self._notifier.send("WATCHDOG=1")

    def reloading(self) -> None:
        """A bundle is being loaded again."""
        self._notifier.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """It was, or it was refused."""
        self._notifier.send("READY=1")

    def stopping(self, frames: int = 0) -> None:
        """The run ends, after so many frames."""
        self._notifier.send("STOPPING=1", f"{FRAMES}={frames}")
