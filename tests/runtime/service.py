"""A service manager's side of sd_notify: a datagram socket that keeps what it is told."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path


class Manager:
    """Listens; `lines` holds (monotonic time, line) of everything that came."""

    def __init__(self, address: str):
        self.address = address
        self.lines: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        threading.Thread(target=self._listen, daemon=True).start()

    def environment(self, watchdog: float = 0.0) -> dict[str, str]:
        """What the manager gives a service; `watchdog` in seconds."""
        given = {"NOTIFY_SOCKET": self.address}
        if watchdog:
            given["WATCHDOG_USEC"] = str(round(watchdog * 1e6))
        return given

    def times(self, line: str) -> list[float]:
        """When such a line came."""
        return [moment for moment, said in list(self.lines) if said == line]

    def wait_for(self, line: str, count: int = 1, within: float = 20.0) -> float:
        """The time at which it came for the count-th time."""
        deadline = time.monotonic() + within
        while len(found := self.times(line)) < count:
            assert time.monotonic() < deadline, (line, self.lines)
            time.sleep(0.01)
        return found[count - 1]

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()
        if not self.address.startswith("@"):
            Path(self.address).unlink(missing_ok=True)

    def _listen(self) -> None:
        while True:
            try:
                data = self._socket.recv(4096)
            except OSError:
                return
            now = time.monotonic()
            self.lines += [(now, line) for line in data.decode().splitlines()]
