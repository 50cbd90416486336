"""`edgecrnn flash BUNDLE --inventory fleet.toml`: many boards, a few first, then in portions."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.cli.fleet_table import FleetTable
from edgecrnn.cli.signals import asked_by_signal
from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.fleet_file import FLASH_KEYS, SSH_KEYS, read_fleet_file
from edgecrnn.devices.fleet_settings import (
    FAILED,
    BoardReport,
    FleetBoard,
    FleetReport,
    FleetSettings,
)
from edgecrnn.devices.ssh import SshSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, write_file
from edgecrnn.runtime.printable import printable

_INTERRUPTED = 130
_OWN = tuple(field.name for field in dataclasses.fields(FleetSettings))


def add_fleet(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a fleet."""
    parser.add_argument(
        "--inventory", type=Path, metavar="FILE", help="fleet.toml: flash every board that it lists"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="with --inventory: write the JSON there too"
    )
    add_settings(parser, FleetSettings, title="With --inventory")


def check_alone(args: argparse.Namespace) -> None:
    """Refuse a fleet's flags without --inventory.

    Raises:
        EdgecrnnError: one was given.
    """
    given = ["report"] if args.report else [name for name in _OWN if hasattr(args, name)]
    if given:
        flag = f"--{given[0].replace('_', '-')}"
        raise EdgecrnnError(f"{flag}: expected --inventory with it, got none; name the fleet.toml")


def flash_inventory(args: argparse.Namespace, check_run: Callable[[FlashSettings], None]) -> int:
    """Flash them all; 0 where every board runs the bundle, 130 where it was interrupted.

    Args:
        args: of the command.
        check_run: raises where edgecrnn run would refuse what a board is to run.

    Raises:
        EdgecrnnError: a board failed, or nothing could be begun.
    """
    from edgecrnn.devices.fleet import flash_fleet

    settings = read_settings(FleetSettings, args)
    if args.report is not None:
        check_output(args.report, True, ())
    boards = _boards(args)
    for board in boards:
        _check_board(board, check_run)
    # A program that reads the JSON gets nothing else on standard output.
    out = sys.stderr if args.json else sys.stdout
    title = f"{Path(args.bundle).name} onto {_boards_text(len(boards))}"
    with asked_by_signal() as asked:
        table = FleetTable(title, out, asked.stop)
        try:
            report = flash_fleet(boards, settings, table.update, asked.stop)
        finally:
            table.close()
        interrupted = asked.stop()
    _write(report, args)
    if not args.json:
        print(f"\n{_told(report)}", flush=True)
    if failed := report.in_state(*FAILED):
        raise EdgecrnnError(_failed(report, failed))
    return _INTERRUPTED if interrupted and report.stopped else 0


def _boards(args: argparse.Namespace) -> tuple[FleetBoard, ...]:
    from edgecrnn.devices.fleet import fleet_boards

    file = read_fleet_file(args.inventory)
    base = read_settings(FlashSettings, args, bundle=args.bundle, ssh=SshSettings())
    read_settings(SshSettings, args)
    given = {name: getattr(args, name) for name in (*FLASH_KEYS, *SSH_KEYS) if hasattr(args, name)}
    if args.rest:
        given["run"] = tuple(args.rest)
    return fleet_boards(file, base, given)


def _check_board(board: FleetBoard, check_run: Callable[[FlashSettings], None]) -> None:
    try:
        check_run(board.settings)
    except EdgecrnnError as error:
        raise EdgecrnnError(f"{board.host}: {error}") from error


def _write(report: FleetReport, args: argparse.Namespace) -> None:
    text = json.dumps(dataclasses.asdict(report), indent=1, ensure_ascii=False)
    if args.report is not None:
        write_file(args.report, f"{text}\n".encode())
    if args.json:
        print(text, flush=True)


def _told(report: FleetReport) -> str:
    """The last lines: what the boards run now."""
    every, bundle = len(report.boards), Path(report.bundle).name
    new, same = len(report.in_state("healthy")), len(report.in_state("unchanged"))
    if same == every:
        return f"nothing to do: {_boards_text(every)} had {bundle} already and {_are(same)} well"
    if report.in_state("planned"):
        return f"dry run: nothing was changed on {_boards_text(every)}"
    lines = [f"{board.host}: {printable(_why(board))}" for board in report.in_state(*FAILED)]
    if new:
        lines.append(f"{_boards_text(new)} now run{'s' if new == 1 else ''} {bundle}")
    if same:
        lines.append(f"{_boards_text(same)} had it already")
    if left := report.in_state("not begun"):
        were = "was" if len(left) == 1 else "were"
        lines.append(
            f"{_boards_text(len(left))} {were} not begun ({report.stopped}): {_names(left)}"
        )
    return "\n".join(lines)


def _failed(report: FleetReport, failed: tuple[BoardReport, ...]) -> str:
    """The sentence that the command ends with; what is wrong with each was told before."""
    left = len(report.in_state("not begun"))
    rest = f", {_boards_text(left)} not begun" if left else ""
    return (
        f"expected {_boards_text(len(report.boards))} to run {Path(report.bundle).name}, got "
        f"{len(failed)} failed ({_names(failed)}){rest}; see what each needs and start again: "
        "only what is missing is done"
    )


def _why(board: BoardReport) -> str:
    return f"taken back: {board.reason}" if board.state == "rolled back" else board.reason


def _names(boards: tuple[BoardReport, ...]) -> str:
    return ", ".join(board.host for board in boards)


def _boards_text(count: int) -> str:
    return "1 board" if count == 1 else f"{count} boards"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
