"""Flashing many boards: a few first, then the rest in portions; what fails on one stays there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgecrnn.devices import keys
from edgecrnn.devices.flash import flash
from edgecrnn.devices.flash_facts import Resolve, Resolved, resolve
from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.fleet_file import FLASH_KEYS, SSH_KEYS, FleetFile
from edgecrnn.devices.fleet_settings import (
    FAILED,
    BoardReport,
    FleetBoard,
    FleetReport,
    FleetSettings,
)
from edgecrnn.devices.ssh import SshSettings
from edgecrnn.devices.wheels import Target
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.signature import SUFFIX, sign

Watch = Callable[[BoardReport], None]


def fleet_boards(
    file: FleetFile, base: FlashSettings, given: Mapping[str, Any]
) -> tuple[FleetBoard, ...]:
    """Each board with its settings merged.

    Args:
        file: that lists them.
        base: what holds for the whole run: the bundle, the key, whether it is a dry run.
        given: settings that win over every one of the file, by their names.

    Raises:
        EdgecrnnError: two names are one board.
    """
    from edgecrnn.devices.fleet_engine import merged

    found = merged(file, given)
    boards = tuple(
        FleetBoard(each.host, each.groups, _settings(found[each.host], base)) for each in file.hosts
    )
    _check_alike(boards, file.path)
    return boards


def flash_fleet(
    boards: Sequence[FleetBoard],
    settings: FleetSettings,
    watch: Watch = lambda board: None,
    stop: Callable[[], bool] = lambda: False,
) -> FleetReport:
    """Flash them wave by wave, until one wave fails too much.

    Args:
        boards: at least one, all with the same bundle and key.
        settings: the waves.
        watch: is told whenever something changed with a board, from any thread, one at a time; it
            must not raise.
        stop: asked before each board; those at work come to their end.

    Raises:
        EdgecrnnError: the bundle is none, or cannot be signed.
    """
    from edgecrnn.devices.fleet_engine import run_wave

    began = time.monotonic()
    waves = settings.waves([board.host for board in boards])
    run = _Run(boards, waves, settings, watch)
    bundle = boards[0].settings.bundle
    stopped = ""
    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as folder:
        signed = _signed(boards[0].settings, Path(folder))
        resolved = ResolvedOnce(resolve)
        for number, wave in enumerate(waves, start=1):
            run_wave(wave, lambda host: run.work(host, signed, resolved, stop))
            stopped = run.why_stop(wave, number == 1) or ("interrupted" if stop() else "")
            if stopped:
                break
    run.leave()
    report = FleetReport(bundle, run.reports(), "", round(time.monotonic() - began, 3))
    return replace(report, stopped=stopped if report.in_state("not begun") else "")


@dataclass(frozen=True)
class _Signed:
    """What each board's flash is given as its bundle and key."""

    bundle: Path
    key: str


class _Run:
    """The boards' reports while the run lasts; threads change them one at a time."""

    def __init__(
        self,
        boards: Sequence[FleetBoard],
        waves: Sequence[Sequence[str]],
        settings: FleetSettings,
        watch: Watch,
    ):
        self._boards = {board.host: board for board in boards}
        self._settings, self._watch, self._lock = settings, watch, threading.Lock()
        self._reports: dict[str, BoardReport] = {}
        for number, wave in enumerate(waves, start=1):
            canary = number == 1 and settings.canary > 0
            for host in wave:
                groups = self._boards[host].groups
                self._change(host, BoardReport(host, groups, number, canary))

    def reports(self) -> tuple[BoardReport, ...]:
        """In the order of the file."""
        return tuple(self._reports.values())

    def failed(self) -> int:
        """How many boards have failed."""
        return sum(board.state in FAILED for board in self.reports())

    def why_stop(self, wave: Sequence[str], first: bool) -> str:
        """Why no further wave is begun; empty where one is."""
        canary = first and self._settings.canary > 0
        if canary and any(self._reports[host].state in FAILED for host in wave):
            return "the canary failed" if len(wave) == 1 else "a canary failed"
        failed = self.failed()
        boards = "board" if failed == 1 else "boards"
        return f"{failed} {boards} failed" if failed >= self._settings.max_failures else ""

    def leave(self) -> None:
        """What was not begun stays as it is."""
        for host, board in self._reports.items():
            if board.state == "waiting":
                self._change(host, replace(board, state="not begun"))

    def work(self, host: str, signed: _Signed, resolved: Resolve, stop: Callable[[], bool]) -> bool:
        """Flash one board; whatever goes wrong there is told in its report and goes no further."""
        board = self._reports[host]
        if stop() or self.failed() >= self._settings.max_failures:
            return True
        began = time.monotonic()
        self._change(host, replace(board, state="at work", said="ssh: connecting"))
        settings = replace(self._boards[host].settings, bundle=str(signed.bundle), key=signed.key)
        try:
            flashed = flash(settings, host, lambda line: self._say(host, line), resolved)
            done = replace(board, state=flashed.outcome, reason=flashed.reason, flashed=flashed)
        except EdgecrnnError as error:
            # Beside its host in a table and in a report, the sentence need not name it again.
            done = replace(board, state="failed", reason=str(error).removeprefix(f"{host}: "))
        except Exception as error:
            reason = f"defect of edgecrnn: {type(error).__name__}: {error}"
            done = replace(board, state="failed", reason=reason, defect=traceback.format_exc())
        seconds = round(time.monotonic() - began, 3)
        self._change(host, replace(done, said=self._reports[host].said, seconds=seconds))
        return done.state not in FAILED

    def _say(self, host: str, line: str) -> None:
        # A dry run's commands are indented below their step; the report has them all.
        if not line.startswith(" "):
            self._change(host, replace(self._reports[host], said=line))

    def _change(self, host: str, board: BoardReport) -> None:
        with self._lock:
            self._reports[host] = board
            self._watch(board)


class ResolvedOnce:
    """Wheels by what they are for: the first board asks the index, the others wait and share."""

    def __init__(self, ask: Resolve):
        self._ask, self._lock = ask, threading.Lock()
        self._known: dict[tuple[object, ...], Resolved | EdgecrnnError] = {}

    def __call__(self, wanted: Sequence[str], target: Target) -> Resolved:
        """As `flash_facts.resolve`, whose error is raised to every board that asks the same."""
        key = (*sorted(wanted), target)
        with self._lock:
            if key not in self._known:
                try:
                    self._known[key] = self._ask(wanted, target)
                except EdgecrnnError as error:
                    self._known[key] = error
            found = self._known[key]
        if isinstance(found, EdgecrnnError):
            raise found
        return found


def _settings(found: Mapping[str, Any], base: FlashSettings) -> FlashSettings:
    ssh = SshSettings(**{key: found[key] for key in SSH_KEYS if key in found})
    return replace(base, **{key: found[key] for key in FLASH_KEYS if key in found}, ssh=ssh)


def _signed(settings: FlashSettings, folder: Path) -> _Signed:
    """The bundle with a signature beside it: its own, or made here once for all boards."""
    bundle = Path(settings.bundle)
    if bundle.is_dir():
        raise EdgecrnnError(f"{bundle}: expected a bundle's file, got a folder; pack it again")
    open_bundle(bundle)
    beside = bundle.with_name(f"{bundle.name}{SUFFIX}")
    if settings.dry_run or (beside.is_file() and not settings.key):
        return _Signed(bundle, settings.key)
    name = settings.key or keys.DEFAULT
    if not settings.key and not (keys.keys_folder() / f"{name}.key").exists():
        keys.new_key(name)
    copy = folder / bundle.name
    shutil.copyfile(bundle, copy)
    copy.with_name(f"{copy.name}{SUFFIX}").write_bytes(sign(copy, keys.load_key(name)[1]))
    return _Signed(copy, "")


def _check_alike(boards: Sequence[FleetBoard], path: Path) -> None:
    """Two names of the person's ssh configuration may be one board."""
    seen: dict[tuple[str, str], str] = {}
    for board in boards:
        place = (_address(board), board.settings.root)
        if place in seen:
            raise EdgecrnnError(
                f"{path}: expected every board once, got {seen[place]!r} and {board.host!r}, "
                f"which ssh takes to the same place ({place[0]}); remove one"
            )
        seen[place] = board.host


def _address(board: FleetBoard) -> str:
    """Where ssh would go: USER@ADDRESS:PORT; the name alone where its configuration is broken."""
    ssh = board.settings.ssh
    words = ["ssh", "-G", *(("-F", ssh.ssh_config) if ssh.ssh_config else ())]
    words += [*(("-p", str(ssh.port)) if ssh.port else ()), "--", board.host]
    try:
        told = subprocess.run(words, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return board.host
    found = dict(line.split(" ", 1) for line in told.stdout.splitlines() if " " in line)
    if told.returncode or not {"user", "hostname", "port"} <= found.keys():
        return board.host
    return f"{found['user']}@{found['hostname']}:{found['port']}"
