"""The board's agent: `python -m edgecrnn.runtime.board --root ROOT COMMAND`, one JSON object out.

The workstation calls it over ssh, in the environment of the release that a command is about.
Every command may be called again; a kill at any of its steps leaves `current` whole.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgecrnn.runtime.board import install, receive, report, supervise, switch, trial, trust
from edgecrnn.runtime.board.layout import Board, locked, read_release
from edgecrnn.runtime.board.release import checked_id
from edgecrnn.runtime.board.selftest import self_test
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.signature import key_id

_MISTAKE = 2
Answer = dict[str, Any]
Command = Callable[[Board, argparse.Namespace], Answer]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 2 with {"error": sentence}, 75 a release to be taken back."""
    args = _parser().parse_args(argv)
    board = Board(args.root.expanduser().absolute())
    try:
        if args.command == "supervise":
            return supervise.supervise(board, args.state or trial.health_folder(board))
        answer = _COMMANDS[args.command](board, args)
    except EdgecrnnError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return _MISTAKE
    print(json.dumps(answer), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edgecrnn.runtime.board", allow_abbrev=False)
    parser.add_argument("--root", type=Path, required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    named = {name: commands.add_parser(name) for name in (*_COMMANDS, "supervise")}
    for name in ("receive-check", "verify", "selftest", "install", "switch", "watch", "outcome"):
        named[name].add_argument("id")
    for name in ("verify", "install"):
        named[name].add_argument("--pin", metavar="HEX")
        named[name].add_argument("--allow-downgrade", action="store_true")
    for name in ("selftest", "install"):
        named[name].add_argument("--budget", type=float, metavar="MS")
    for name in ("switch", "watch"):
        named[name].add_argument("--patience", type=float, default=trial.PATIENCE)
        named[name].add_argument("--frames", type=int, default=trial.FRAMES)
    named["outcome"].add_argument("--wait", type=float, default=0.0)
    named["rollback"].add_argument("--failed", action="store_true")
    named["logs"].add_argument("--lines", type=int, default=50)
    named["logs"].add_argument("--flash", action="store_true")
    named["prune"].add_argument("--keep", type=int, default=2)
    named["trust"].add_argument("key", metavar="HEX")
    named["trust"].add_argument("--remove", action="store_true")
    named["service"].add_argument("kind", choices=("plain", "systemd"))
    named["supervise"].add_argument("--state", type=Path)
    return parser


def _receive_check(board: Board, args: argparse.Namespace) -> Answer:
    expected = receive.parse_expected(sys.stdin.buffer.read())
    got = receive.receive_check(board.incoming(args.id), expected)
    return {"complete": got.complete, **asdict(got)}


def _folder(board: Board, name: str) -> Path:
    """Where a release lies: sent, or installed."""
    return board.release(name) if board.release(name).is_dir() else board.incoming(name)


def _verify(board: Board, args: argparse.Namespace) -> Answer:
    folder = _folder(board, args.id)
    proof = trust.prove(board, folder, args.id, args.pin, args.allow_downgrade)
    signed = proof.signed
    return {"key_id": key_id(signed.key), "sequence": signed.sequence, "pinned": proof.pinned}


def _selftest(board: Board, args: argparse.Namespace) -> Answer:
    folder = _folder(board, args.id)
    # Nothing unproven is loaded, not even by a child.
    trust.prove(board, folder, args.id, allow_downgrade=True)
    release = read_release(folder)
    budget = release.budget_ms if args.budget is None else args.budget
    return asdict(self_test(folder, install.python_of(board, release.environment), budget))


def _install(board: Board, args: argparse.Namespace) -> Answer:
    checked_id(args.id)
    with locked(board, f"install {args.id}"):
        return asdict(
            install.install(board, args.id, args.pin, args.allow_downgrade, args.budget, _step)
        )


def _switch(board: Board, args: argparse.Namespace) -> Answer:
    checked_id(args.id)
    if switch.well(board, args.id):
        return {"switching": False, "why": "it runs already"}
    switch.start_switch(board, args.id, args.patience, args.frames)
    return {"switching": True}


def _watch(board: Board, args: argparse.Namespace) -> Answer:
    wanted = trial.Trial(patience=args.patience, frames=args.frames)
    return asdict(switch.watch_switch(board, checked_id(args.id), wanted, _step))


def _outcome(board: Board, args: argparse.Namespace) -> Answer:
    return asdict(switch.wait_for(board, checked_id(args.id), args.wait))


def _rollback(board: Board, args: argparse.Namespace) -> Answer:
    if args.failed:
        # The one who watches the switch may hold the lock; links have one of their own.
        before, now = switch.roll_back(board, True, _step)
    else:
        with locked(board, "roll back"):
            before, now = switch.roll_back(board, False, _step)
    return {"from": before, "to": now}


def _status(board: Board, args: argparse.Namespace) -> Answer:
    return report.status(board)


def _logs(board: Board, args: argparse.Namespace) -> Answer:
    if args.lines < 1:
        raise EdgecrnnError(f"lines: expected at least 1, got {args.lines}")
    return {"lines": report.logs(board, args.lines, args.flash)}


def _prune(board: Board, args: argparse.Namespace) -> Answer:
    if args.keep < 1:
        raise EdgecrnnError(f"keep: expected at least 1 release, got {args.keep}")
    with locked(board, "prune"):
        return {"removed": install.prune(board, args.keep, _step)}


def _trust(board: Board, args: argparse.Namespace) -> Answer:
    with locked(board, "change the trusted keys"):
        return {"trusted": sorted(map(key_id, trust.trust(board, args.key, args.remove)))}


def _start(board: Board, args: argparse.Namespace) -> Answer:
    pid = switch.start(board)
    return {"running": bool(pid), "pid": pid}


def _stop(board: Board, args: argparse.Namespace) -> Answer:
    return {"running": False, "stopped": switch.stop(board)}


def _service(board: Board, args: argparse.Namespace) -> Answer:
    with locked(board, "change the service"):
        trial.set_service(board, args.kind == "systemd")
    return {"service": args.kind}


def _step(name: str) -> None:
    """A stop before each step, for the test that kills it there: EDGECRNN_STOP_AT names one."""
    if name == os.environ.get("EDGECRNN_STOP_AT"):
        print(f"stopped at {name}", file=sys.stderr, flush=True)
        while True:
            time.sleep(60)


_COMMANDS: dict[str, Command] = {
    "receive-check": _receive_check,
    "verify": _verify,
    "selftest": _selftest,
    "install": _install,
    "switch": _switch,
    "watch": _watch,
    "outcome": _outcome,
    "rollback": _rollback,
    "status": _status,
    "logs": _logs,
    "prune": _prune,
    "trust": _trust,
    "start": _start,
    "stop": _stop,
    "service": _service,
}


if __name__ == "__main__":
    sys.exit(main())
