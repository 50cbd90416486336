"""Keeps the current release running, puts a new one on trial, and takes it back where it fails.

The link `current` says what is to run: whoever changes it, the supervisor follows. It becomes the
new release's own supervisor then, so that each release is watched by the code that came with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType

from edgecrnn.runtime.board.install import python_of
from edgecrnn.runtime.board.layout import Board
from edgecrnn.runtime.board.only_one import hand_over, only_one
from edgecrnn.runtime.board.release import BUNDLE
from edgecrnn.runtime.board.run import Run
from edgecrnn.runtime.board.trial import (
    Health,
    on_trial,
    read_health,
    read_trial,
    take_back,
    write_health,
)
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.notify import EXTEND, FRAMES, Notifier

LOG = "run.log"
# The service manager is told by it that the release is to be taken back (sysexits.h: try later).
TAKE_BACK = 75
# A release on trial may fail this often: a camera that was just plugged in needs a second try.
_STARTS = 3
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # s before the next start
_WELL = 60.0  # s; a run that lasted this long starts again at once
_GLANCE = 0.2  # s
# Until the first frame the service manager waits for as long as it hears this so often.
_STARTING = 60.0  # s
_SAYS_ON_TRIAL = 1.0  # s between two writes of health.json
_SAYS = 60.0  # s; a card wears out by writing
_LOG_BYTES = 1_000_000
_LAST_WORDS = 20


@dataclass
class _Asked:
    """What signals asked for."""

    stop: bool = False
    reload: bool = False


class _Supervisor:
    """One release's supervisor, for as long as `current` leads to that release."""

    def __init__(self, board: Board, state: Path, asked: _Asked):
        self.board, self.state, self.asked = board, state, asked
        # A service's user may write its state alone.
        self.own_links = os.access(board.root, os.W_OK)
        self.notifier = Notifier()
        self.words: deque[str] = deque(maxlen=_LAST_WORDS)
        self.log = _log(state)
        self.said = 0.0

    def watch(self, name: str) -> int | None:
        """Run a release until it ends for good (its exit code), or another is current (None)."""
        trial = read_trial(self.board)
        health = read_health(self.state)
        if (health.release, health.token) != (name, trial.token):
            health = Health(release=name, token=trial.token)
        began, failures = time.monotonic(), 0
        while True:
            if on_trial(self.board, health) and health.starts >= _STARTS:
                # The first reason is the one that helps; a service manager may start it once more.
                never = f"was started {_STARTS} times and never got well"
                return self._fail(name, health, health.failed or never)
            health = replace(
                health, starts=health.starts + 1, frames=0, pid=0, ended=False, status=""
            )
            self._write(health)
            started = time.monotonic()
            try:
                health, code, why = self._run_once(name, health, began)
            except EdgecrnnError as error:
                code, why = None, f"could not be started: {error}"
            if self.asked.stop or self._moved(name):
                self._write(replace(health, pid=0))
                return 0 if self.asked.stop else None
            if code == 0 and not why:
                # A film that was classified to its end is a run that did what it is for.
                health = replace(health, healthy=health.healthy or health.frames > 0)
                self._write(replace(health, pid=0, ended=True))
                if health.healthy:
                    return 0
                why = "ended without having classified a frame"
            why = why or f"ended with code {code}"
            self._say(f"{name}: the run {why}")
            waited = time.monotonic() - began > read_trial(self.board).patience
            if on_trial(self.board, health) and (waited or health.starts >= _STARTS):
                return self._fail(name, health, f"the run {why}")
            failures = 0 if time.monotonic() - started > _WELL else failures + 1
            pause = _PAUSES[min(max(0, failures - 1), len(_PAUSES) - 1)]
            self._write(replace(health, pid=0))
            self._wait(name, pause)

    def _run_once(self, name: str, health: Health, began: float) -> tuple[Health, int | None, str]:
        """One run to its end; gives its exit code, or why it was ended from here."""
        release = self.board.read_release(name)
        python = python_of(self.board, release.environment)
        bundle = self.board.release(name) / BUNDLE
        run = Run([*python, "-m", "edgecrnn", "run", str(bundle), *release.run], self._hear)
        health, why, first = replace(health, pid=run.pid), "", signal.SIGTERM
        try:
            self._write(health)
            while (code := run.poll(_GLANCE)) is None:
                health = self._heard(run, health)
                if self.asked.reload:
                    self.asked.reload = False
                    run.pass_on(signal.SIGHUP)
                if self.asked.stop or self._moved(name):
                    break
                why = run.hangs() or self._late(health, began)
                if why:
                    # What it was doing when it hung goes to the log (faulthandler), if it can.
                    first = signal.SIGABRT if run.hangs() else first
                    break
            health = self._heard(run, health)
        finally:
            run.end(first)
        return replace(health, frames=run.frames), code, why

    def _heard(self, run: Run, health: Health) -> Health:
        """Take over what the run said, tell the service manager, write it down now and then."""
        trial = read_trial(self.board)
        wanted = trial.frames if on_trial(self.board, health) else 1
        healthy = health.healthy or (run.ready and run.frames >= wanted)
        news = healthy and not health.healthy
        begins = run.frames > 0 and health.frames == 0
        health = replace(health, frames=run.frames, status=run.status, healthy=healthy)
        if news:
            self._say(f"{health.release}: healthy after {run.frames} frames")
        now = time.monotonic()
        if news or begins or now - self.said > (_SAYS if healthy else _SAYS_ON_TRIAL):
            self._write(health)
        if run.ready and not run.hangs():
            line = f"STATUS={run.status}"
            self.notifier.send("READY=1", "WATCHDOG=1", line, f"{FRAMES}={run.frames}")
        else:
            self._lives()
        return health

    def _lives(self) -> None:
        """A supervisor that waits for a camera is none that hangs."""
        self.notifier.send(f"{EXTEND}={round(_STARTING * 1e6)}")

    def _late(self, health: Health, began: float) -> str:
        """Why a release on trial is given up; nothing where it is not."""
        trial = read_trial(self.board)
        if not on_trial(self.board, health) or time.monotonic() - began <= trial.patience:
            return ""
        return f"classified {health.frames} of {trial.frames} frames within {trial.patience:g} s"

    def _fail(self, name: str, health: Health, why: str) -> int | None:
        """Take the release back; where that is the service manager's to do, end with its code."""
        last = next((line for line in reversed(self.words) if line.strip()), "")
        reason = f"{why}; it said: {last}" if last else why
        self._write(replace(health, pid=0, failed=reason))
        self._say(f"{name}: on trial, taken back: {reason}")
        if not self.own_links:
            return TAKE_BACK
        return None if take_back(self.board, name, reason) else TAKE_BACK

    def _moved(self, name: str) -> bool:
        return self.board.linked(self.board.current) != name

    def _wait(self, name: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.asked.stop and not self._moved(name):
            self._lives()
            time.sleep(_GLANCE)

    def _write(self, health: Health) -> None:
        self.said = time.monotonic()
        try:
            write_health(self.state, health)
        except EdgecrnnError as error:
            # A full disk is no reason to end a run that is well.
            self._say(str(error))

    def _hear(self, line: str) -> None:
        self.words.append(line)
        self.log(line)

    def _say(self, line: str) -> None:
        self.log(f"supervisor: {line}")


def supervise(board: Board, state: Path) -> int:
    """Keep `current` running until a signal ends it; gives the exit code.

    Args:
        board: where.
        state: folder of health.json, run.log and the lock; only one supervisor runs in it.

    Raises:
        EdgecrnnError: another supervisor runs there, or the folder cannot be written.
    """
    state.mkdir(parents=True, exist_ok=True)
    asked = _Asked()
    with only_one(state) as lock, _signals(asked):
        name = board.linked(board.current)
        if name is None:
            raise EdgecrnnError(f"{board.current}: expected a release to run, got none; flash one")
        code = _Supervisor(board, state, asked).watch(name)
        if code is not None:
            return code
        hand_over(lock)
        return _become_current(board, state)


def _become_current(board: Board, state: Path) -> int:
    """Go on as the supervisor that came with what is current now; the process stays the same."""
    name = board.linked(board.current)
    if name is None:
        return 0
    python = python_of(board, board.read_release(name).environment)
    words = [*python, "-m", "edgecrnn.runtime.board", "--root", str(board.root)]
    sys.stdout.flush()
    os.execv(words[0], [*words, "supervise", "--state", str(state)])
    raise AssertionError("execv does not return")


@contextlib.contextmanager
def _signals(asked: _Asked) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        asked.stop = True

    def reload(number: int, frame: FrameType | None) -> None:
        asked.reload = True

    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log(state: Path) -> Callable[[str], None]:
    """Writes lines to run.log, which is turned over; to standard error too, for the journal."""
    handler = RotatingFileHandler(
        state / LOG, maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    journal = "JOURNAL_STREAM" in os.environ

    def write(line: str) -> None:
        if journal:
            print(line, file=sys.stderr, flush=True)
        with contextlib.suppress(OSError):
            handler.emit(logging.makeLogRecord({"msg": line, "levelno": logging.INFO}))

    logging.raiseExceptions = False
    return write
