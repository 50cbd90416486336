"""`edgecrnn status HOST`: which release runs on a board, and how it does."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping
from typing import Any

from edgecrnn.cli.board import add_board, asked
from edgecrnn.runtime.printable import printable
from edgecrnn.runtime.sinks import shown


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_board(parser)


def execute(args: argparse.Namespace) -> int:
    """0 where a release runs well, 1 where not."""
    answer = asked(args, ["status"])
    answer["run"] = [_without_secrets(word) for word in answer.get("run", ())]
    print(json.dumps(answer, indent=1, ensure_ascii=False) if args.json else _told(answer))
    return 0 if _well(answer) else 1


def _without_secrets(word: str) -> str:
    """An argument of the run as its own messages tell it: FLAG=ADDRESS without what may be one."""
    flag, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return flag + equals + shown(value)


def _well(answer: Mapping[str, Any]) -> bool:
    alive = answer["running"] or answer.get("ended")
    return bool(alive and answer["healthy"] and not answer["on_trial"])


def _state(answer: Mapping[str, Any]) -> str:
    if answer["current"] is None:
        return "no release"
    if answer["running"]:
        pid = f"process {answer['pid']}, {answer['frames']} frames"
        if answer["on_trial"]:
            return f"on trial ({pid})"
        return f"healthy ({pid})" if answer["healthy"] else f"not healthy ({pid})"
    return "came to its end" if answer.get("ended") else "does not run"


def _told(answer: Mapping[str, Any]) -> str:
    """A line a fact; what is not known is left out."""
    signed = f"{answer.get('signed', '')} by key {answer['key_id']}"
    reason = f"{answer.get('taken_back') or 'the last one'}: {answer['reason']}"
    step = answer.get("p95_ms")
    rows = {
        "release": f"{answer['current'] or 'none'}  {answer['name']}".rstrip(),
        "state": _state(answer),
        "says": answer["status"],
        "runs": shlex.join(answer.get("run", ())),
        "step": f"{step:.2f} ms on {answer.get('delegate')} (95th percentile, when it was flashed)"
        if step is not None
        else "",
        "signed": signed if answer["key_id"] else "",
        "before": answer["previous"] or "",
        "taken back": reason if answer["reason"] else "",
        "service": "systemd" if answer["service"] == "systemd" else "plain, not started at boot",
        "free": f"{answer['free_mb']} MB",
        "trusts": ", ".join(answer["trusted"]),
    }
    lines = [f"{name:<10}  {text}" for name, text in rows.items() if text]
    return "\n".join(map(printable, lines))
