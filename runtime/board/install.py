"""What was sent becomes a release, once it is proven; and what no link needs goes."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edgecrnn.runtime.board.durable import Step, sync_tree
from edgecrnn.runtime.board.layout import Board, read_release
from edgecrnn.runtime.board.release import FILES, Release
from edgecrnn.runtime.board.selftest import SelfTest, self_test
from edgecrnn.runtime.board.trust import no_older, prove, trust
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import not_written, sync_folder, write_file
from edgecrnn.runtime.settings import from_mapping
from edgecrnn.runtime.signature import claimed, key_id

# What the self-test found, kept beside the release.
PROVEN = "proven.json"
ENVIRONMENT = "environment"
COMPLETE = "complete"


@dataclass(frozen=True)
class Installed:
    """What `install` did; `installed` is False where the release was there already."""

    installed: bool
    key_id: str
    sequence: int
    pinned: bool
    selftest: SelfTest | None


def python_of(board: Board, environment: str) -> list[str]:
    """Words that start the Python of an environment, apart from what the person has set.

    Raises:
        EdgecrnnError: the environment is not there or was not made to its end.
    """
    folder = board.environment(environment)
    if not (folder / COMPLETE).is_file():
        raise EdgecrnnError(
            f"{folder}: expected an environment that is complete, got none; flash again"
        )
    return [str(folder / "bin" / "python"), "-I"]


def install(
    board: Board,
    name: str,
    pin: str | None = None,
    allow_downgrade: bool = False,
    budget_ms: float | None = None,
    step: Step = lambda name: None,
) -> Installed:
    """Prove an incoming release and give it its place; the release that runs is not touched.

    Args:
        board: where; its lock is held.
        name: the release's id.
        pin: public key to trust where none is trusted yet.
        allow_downgrade: take one that is older than the one that runs.
        budget_ms: most time for a step, in place of the release's own.
        step: is told the name of each step before it is done.

    Raises:
        EdgecrnnError: it is not proven, or cannot be written; nothing has changed.
    """
    place, came = board.release(name), board.incoming(name)
    if place.is_dir():
        return _there_already(board, name, came, allow_downgrade, step)
    step("prove")
    proof = prove(board, came, name, pin, allow_downgrade)
    python = python_of(board, proof.release.environment)
    step("self-test")
    budget = proof.release.budget_ms if budget_ms is None else budget_ms
    tested = self_test(came, python, budget)
    if not allow_downgrade:
        _no_older(board, tested)
    if proof.pinned:
        step("pin key")
        trust(board, proof.signed.key)
    step("write proof")
    write_file(came / PROVEN, json.dumps(asdict(tested), indent=1).encode() + b"\n")
    give_place(board, name, proof.release, step)
    return Installed(True, key_id(proof.signed.key), proof.signed.sequence, proof.pinned, tested)


def give_place(board: Board, name: str, release: Release, step: Step = lambda name: None) -> None:
    """Make a folder of what came a release: whole under its name, or not there.

    Raises:
        EdgecrnnError: it cannot be written; nothing has that name.
    """
    place, came = board.release(name), board.incoming(name)
    try:
        _link_environment(came, release)
        for file in came.iterdir():
            if not file.is_symlink():
                file.chmod(0o444)
        step("sync release")
        sync_tree(came)
        place.parent.mkdir(parents=True, exist_ok=True)
        step("rename release")
        came.rename(place)
        step("sync releases")
        sync_folder(place.parent)
        sync_folder(came.parent)
        step("installed")
    except OSError as error:
        raise not_written(place, error) from error


def read_proven(board: Board, name: str) -> SelfTest | None:
    """What the self-test of an installed release found; None where that cannot be read."""
    file = board.release(name) / PROVEN
    try:
        return from_mapping(SelfTest, json.loads(file.read_bytes()), str(file))
    except (OSError, ValueError, EdgecrnnError):
        return None


def prune(board: Board, keep: int, step: Step = lambda name: None) -> list[str]:
    """Remove all but the newest releases; never the one that runs nor the one before it.

    Environments that no release names go too, and what was sent and never installed.

    Args:
        board: where; its lock is held.
        keep: how many releases stay, at least.
        step: is told the name of each step before it is done.

    Returns:
        Ids of what was removed.
    """
    needed = {board.linked(board.current), board.linked(board.previous)}
    names = board.releases()
    spare = [name for name in names if name not in needed]
    removed = spare[: max(0, len(names) - keep)]
    for name in removed:
        step(f"remove release {name}")
        _remove(board.release(name))
    kept = [_environment_of(board, name) for name in board.releases()]
    for folder in _folders(board.environments):
        # One that is being made has no name in a release yet.
        if folder.name not in kept and (folder / COMPLETE).is_file():
            step(f"remove environment {folder.name}")
            (folder / COMPLETE).unlink()
            _remove(folder)
            removed.append(folder.name)
    for folder in _folders(board.root / "incoming"):
        _remove(folder)
    return removed


def _there_already(
    board: Board, name: str, came: Path, allow_downgrade: bool, step: Step
) -> Installed:
    """What was proven once and is read-only since is not proven again, but may be the older one."""
    release = board.read_release(name)
    python_of(board, release.environment)
    folder = board.release(name)
    signed = claimed((folder / FILES[1]).read_bytes(), str(folder / FILES[1]))
    tested = read_proven(board, name)
    if not allow_downgrade:
        no_older(board, signed)
        _no_older(board, tested)
    step("installed")
    _remove(came)
    return Installed(False, key_id(signed.key), signed.sequence, False, tested)


def _no_older(board: Board, tested: SelfTest | None) -> None:
    """A bundle made before the one that runs is most likely the wrong file."""
    running = board.linked(board.current)
    now = None if running is None else read_proven(board, running)
    if now is not None and tested is not None and tested.created < now.created:
        raise EdgecrnnError(
            f"bundle: expected one made after the one that runs ({now.created}), got one made "
            f"{tested.created}; take it all the same with --allow-downgrade"
        )


def _link_environment(folder: Path, release: Release) -> None:
    link = folder / ENVIRONMENT
    if not link.is_symlink():
        link.symlink_to(Path("../../environments") / release.environment)


def _environment_of(board: Board, name: str) -> str | None:
    try:
        return read_release(board.release(name)).environment
    except EdgecrnnError:
        return None


def _folders(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        return ()
    return [entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()]


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
