"""What a board says of itself: which release runs, how it does, and what it printed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from edgecrnn.runtime.board import only_one
from edgecrnn.runtime.board.install import COMPLETE, read_proven
from edgecrnn.runtime.board.layout import Board
from edgecrnn.runtime.board.release import SIGNATURE
from edgecrnn.runtime.board.supervise import LOG
from edgecrnn.runtime.board.switch import FLASH_LOG
from edgecrnn.runtime.board.tail import tail
from edgecrnn.runtime.board.trial import health_folder, on_trial, read_health, read_trial
from edgecrnn.runtime.board.trust import read_trusted
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.signature import claimed, key_id


def status(board: Board) -> dict[str, Any]:
    """Everything that `edgecrnn status` shows, as JSON values; it changes nothing."""
    folder, trial = health_folder(board), read_trial(board)
    health = read_health(folder)
    name, pid = board.linked(board.current), only_one.who(folder)
    mine = health.release == name
    return {
        "current": name,
        "previous": _other(board.linked(board.previous), name),
        **_about(board, name),
        "running": pid is not None,
        "pid": pid,
        "frames": health.frames if mine else 0,
        "healthy": mine and health.healthy,
        "ended": mine and health.ended,
        "on_trial": on_trial(board, health),
        "taken_back": trial.taken_back,
        "reason": trial.reason,
        "status": health.status if mine else "",
        "service": "systemd" if trial.state else "plain",
        "releases": board.releases(),
        "environments": _complete(board.environments),
        "free_mb": shutil.disk_usage(board.root).free // 1_000_000 if board.root.is_dir() else 0,
        "trusted": sorted(map(key_id, read_trusted(board))),
    }


def logs(board: Board, lines: int, flash: bool) -> list[str]:
    """The last lines of the run's log, or of the log of switches; none where there is no log."""
    file = board.logs / FLASH_LOG if flash else health_folder(board) / LOG
    # After it was turned over, the newest file may hold a line or two.
    parts = [file] if flash else [file.with_name(f"{LOG}.1"), file]
    found: list[str] = []
    for part in parts:
        found += tail(part, lines)
    return found[-lines:]


def _about(board: Board, name: str | None) -> dict[str, Any]:
    """Name, signature and self-test of the current release."""
    about: dict[str, Any] = {"name": "", "run": [], "key_id": "", "sequence": 0, "signed": ""}
    if name is None:
        return about
    try:
        release, file = board.read_release(name), board.release(name) / SIGNATURE
        signed = claimed(file.read_bytes(), str(file))
    except (EdgecrnnError, OSError) as error:
        return {**about, "damaged": str(error)}
    tested = read_proven(board, name)
    return {
        "name": release.name,
        "run": list(release.run),
        "key_id": key_id(signed.key),
        "sequence": signed.sequence,
        "signed": signed.made,
        "p95_ms": None if tested is None else tested.p95_ms,
        "delegate": None if tested is None else tested.delegate,
    }


def _other(name: str | None, current: str | None) -> str | None:
    return None if name == current else name


def _complete(folder: Path) -> list[str]:
    return sorted(entry.parent.name for entry in folder.glob(f"*/{COMPLETE}"))
