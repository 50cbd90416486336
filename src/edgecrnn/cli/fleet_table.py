"""A fleet's run as a person sees it: a table that moves on a terminal, else a line each change."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from edgecrnn.devices.fleet_settings import FAILED, BoardReport, State
from edgecrnn.runtime.printable import printable

_TICK = 0.5  # s between two drawings while nothing happens
_MARKS: dict[State, tuple[str, str]] = {
    "waiting": ("·", "2"),
    "at work": ("●", "33"),
    "unchanged": ("=", "32"),
    "planned": ("~", "36"),
    "healthy": ("✓", "32"),
    "rolled back": ("✗", "31"),
    "failed": ("✗", "31"),
    "not begun": ("·", "2"),
}
# What stays in sight where the terminal is lower than the fleet is long.
_FIRST: tuple[State, ...] = ("at work", "failed", "rolled back", "healthy", "unchanged", "planned")
_AROUND = 6  # lines of the terminal that are not rows
_LEAST_ROWS = 4


class FleetTable:
    """Told of each change from any thread; `close` it in any case.

    Args:
        title: what is brought.
        out: standard output, or standard error where JSON goes to the former.
        ending: whether the person asked to end.
    """

    def __init__(self, title: str, out: TextIO, ending: Callable[[], bool] = lambda: False):
        self._title, self._out, self._ending = title, out, ending
        self._moves = out.isatty() and os.environ.get("TERM") != "dumb"
        self._colored = self._moves and not os.environ.get("NO_COLOR")
        self._boards: dict[str, BoardReport] = {}
        self._began: dict[str, float] = {}
        self._start, self._lines = time.monotonic(), 0
        self._lock, self._closed = threading.Lock(), threading.Event()
        if self._moves:
            self._ticks = threading.Thread(target=self._tick, daemon=True)
            self._ticks.start()

    def update(self, board: BoardReport) -> None:
        """A board has changed."""
        with self._lock:
            before = self._boards.get(board.host)
            self._boards[board.host] = board
            if board.state == "at work":
                self._began.setdefault(board.host, time.monotonic())
            if not self._moves and board.state not in ("waiting", "not begun"):
                self._write(_plain(board, before))

    def close(self) -> None:
        """Leave the whole table standing."""
        self._closed.set()
        if self._moves:
            self._ticks.join()
            with self._lock:
                self._draw(list(self._boards.values()))

    def _tick(self) -> None:
        while not self._closed.wait(_TICK if self._lines else 0.05):
            with self._lock:
                rows = self._size().lines - _AROUND
                self._draw(_in_sight(list(self._boards.values()), max(_LEAST_ROWS, rows)))

    def _draw(self, shown: Sequence[BoardReport]) -> None:
        """In place of what was drawn before, in one write."""
        width = self._size().columns - 1
        names = max([len(board.host) for board in self._boards.values()] + [5])
        rows = [self._row(board, min(names, width // 3), width) for board in shown]
        hidden = len(self._boards) - len(shown)
        more = [self._color(f"    and {hidden} more", "2")] if hidden else []
        text = "\n".join([*self._head(width), "", *rows, *more, "", f"  {self._counts()}"])
        up = f"\x1b[{self._lines}F\x1b[J" if self._lines else ""
        self._write(f"{up}{text}\n")
        self._lines = text.count("\n") + 1

    def _write(self, text: str) -> None:
        # A terminal that went away, or a reader that left (head), must end no flash.
        with contextlib.suppress(OSError):
            self._out.write(text)
            self._out.flush()

    def _size(self) -> os.terminal_size:
        try:
            return os.get_terminal_size(self._out.fileno())
        except OSError:
            return os.terminal_size((80, 24))

    def _head(self, width: int) -> list[str]:
        wave, last = self._wave()
        now = f"wave {wave} of {last}, {_time(time.monotonic() - self._start)}"
        lines = [_cut(f"{self._title}: {now}", width)]
        if self._ending() and not self._closed.is_set():
            lines.append(_cut("  ends after the boards at work; again to end at once", width))
        return lines

    def _wave(self) -> tuple[int, int]:
        begun = [each.wave for each in self._boards.values() if each.host in self._began]
        return max(begun, default=1), max([each.wave for each in self._boards.values()], default=1)

    def _row(self, board: BoardReport, names: int, width: int) -> str:
        mark, color = _MARKS[board.state]
        wave = "canary" if board.canary else f"wave {board.wave}"
        seconds = board.seconds
        if board.state == "at work":
            seconds = time.monotonic() - self._began[board.host]
        spent = _time(seconds) if board.host in self._began else ""
        left = f"{_cut(board.host, names):<{names}}  {wave:<7}  "
        state = f"{board.state:<11}"
        right = f"  {spent:>5}  {_last(board)}".rstrip()
        room = width - len(f"  {mark} {left}{state}")
        return f"  {self._color(mark, color)} {left}{self._color(state, color)}{_cut(right, room)}"

    def _counts(self) -> str:
        found = [(s, sum(each.state == s for each in self._boards.values())) for s in _MARKS]
        return ", ".join(self._color(f"{n} {state}", _MARKS[state][1]) for state, n in found if n)

    def _color(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colored else text


def _plain(board: BoardReport, before: BoardReport | None) -> str:
    if board.state == "at work":
        return f"{board.host}: {printable(board.said)}\n"
    if before is not None and before.state == board.state:
        return ""
    return f"{board.host}: {board.state} after {board.seconds:.1f} s: {printable(_last(board))}\n"


def _last(board: BoardReport) -> str:
    """What is worth a line of a board: why it failed, what runs there, or what was told last."""
    flashed = board.flashed
    if board.state in FAILED or flashed is None:
        return board.reason or board.said
    if board.state == "planned":
        return f"{sum(step.changed for step in flashed.steps)} steps would be taken"
    tested = flashed.selftest
    step = f", a step takes {tested['p95_ms']:.2f} ms" if tested else ""
    return f"release {flashed.release}{step}"


def _in_sight(boards: Sequence[BoardReport], rows: int) -> list[BoardReport]:
    """As many as fit, in the order of the file: at work and failed first, then done, then next."""
    if len(boards) <= rows:
        return list(boards)
    ranked = sorted(boards, key=_rank)
    chosen = {board.host for board in ranked[: rows - 1]}
    return [board for board in boards if board.host in chosen]


def _rank(board: BoardReport) -> tuple[int, int]:
    """Of those that are done the newest wave first."""
    if board.state in _FIRST:
        return _FIRST.index(board.state), -board.wave
    return len(_FIRST), board.wave


def _cut(text: str, width: int) -> str:
    text = printable(text)
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


def _time(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
