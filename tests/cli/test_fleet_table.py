"""The table of a fleet: on a terminal of its own size in place, elsewhere a line a change."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import termios
import threading
import time
from dataclasses import replace

import pytest

from edgecrnn.cli.fleet_table import FleetTable
from edgecrnn.devices.fleet_settings import BoardReport

_STEERS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Terminal:
    """A real one (a pty) of so many lines and columns; `text` is all that was written to it."""

    def __init__(self, lines: int, columns: int):
        self._master, slave = os.openpty()
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        self.out = os.fdopen(slave, "w", encoding="utf-8")
        self.data = b""
        self._reads = threading.Thread(target=self._read, daemon=True)
        self._reads.start()

    def _read(self) -> None:
        while True:
            try:
                self.data += os.read(self._master, 65536)
            except OSError:
                return

    def frames(self) -> list[list[str]]:
        """What stood there one after the other: the lines of each drawing, without colours."""
        self.out.close()
        self._reads.join(10)
        os.close(self._master)
        drawn = re.split(r"\x1b\[\d+F\x1b\[J", self.data.decode())
        return [_STEERS.sub("", each).replace("\r", "").split("\n") for each in drawn]


def _boards(count: int) -> list[BoardReport]:
    return [BoardReport(f"pi@b{n}", (), 1 + n // 10, n == 0) for n in range(count)]


@pytest.fixture(autouse=True)
def _term(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_low_terminal_shows_what_counts_and_the_end_shows_all() -> None:
    terminal = Terminal(16, 60)
    table = FleetTable("door.edgecrnn onto 40 boards", terminal.out)
    boards = _boards(40)
    for board in boards:
        table.update(board)
    for board in boards[30:33]:
        table.update(replace(board, state="at work", said="install: " + "long " * 30))
    table.update(replace(boards[5], state="failed", reason="expected an ssh server"))
    until = time.monotonic() + 60
    while b"1 failed" not in terminal.data and time.monotonic() < until:
        time.sleep(0.02)
    table.close()
    *before, last = terminal.frames()
    assert all(len(frame) <= 16 for frame in before)
    assert all(len(line) < 60 for frame in [*before, last] for line in frame)
    seen = "\n".join(before[-1])
    assert all(name in seen for name in ("pi@b5 ", "pi@b30", "pi@b31", "pi@b32"))
    assert re.search(r"and 3\d more", seen)
    assert "36 waiting, 3 at work, 1 failed" in seen
    assert sum("pi@b" in line for line in last) == 40


def test_without_a_terminal_each_change_is_a_line() -> None:
    out = io.StringIO()
    table = FleetTable("door.edgecrnn onto 1 board", out)
    (board,) = _boards(1)
    table.update(board)
    for said in ("ssh: connecting", "probe: a board"):
        table.update(replace(board, state="at work", said=said))
    table.update(replace(board, state="failed", reason="expected room", seconds=1.25))
    table.close()
    assert out.getvalue() == (
        "pi@b0: ssh: connecting\npi@b0: probe: a board\npi@b0: failed after 1.2 s: expected room\n"
    )


def test_what_a_board_says_steers_no_terminal() -> None:
    out = io.StringIO()
    table = FleetTable("door.edgecrnn onto 1 board", out)
    (board,) = _boards(1)
    table.update(replace(board, state="at work", said="probe: \x1b[2J\rmine\n"))
    assert out.getvalue() == "pi@b0: probe: ?[2J?mine?\n"


def test_who_asks_to_end_is_told_what_happens_now() -> None:
    terminal = Terminal(24, 100)
    table = FleetTable("door.edgecrnn onto 1 board", terminal.out, lambda: True)
    (board,) = _boards(1)
    table.update(replace(board, state="at work"))
    until = time.monotonic() + 60
    while b"again to end at once" not in terminal.data and time.monotonic() < until:
        time.sleep(0.02)
    table.close()
    *before, last = terminal.frames()
    assert "ends after the boards at work; again to end at once" in "\n".join(before[-1])
    assert "again to end" not in "\n".join(last)


def test_a_reader_that_left_ends_no_flash() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    out = os.fdopen(writer, "w")
    table = FleetTable("door.edgecrnn onto 1 board", out)
    (board,) = _boards(1)
    table.update(replace(board, state="at work", said="probe: a board"))
    table.update(replace(board, state="healthy"))
    table.close()
    with pytest.raises(BrokenPipeError):
        out.close()
