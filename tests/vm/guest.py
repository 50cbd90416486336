"""In the virtual machine: `guest.py set-up|flash|flash-unsynced FOLDER`, said on the console.

It calls what a board calls; only the proofs before, which write nothing, are left out.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from edgecrnn.runtime.board.install import COMPLETE, give_place
from edgecrnn.runtime.board.layout import Board
from edgecrnn.runtime.board.release import BUNDLE, RELEASE, SIGNATURE, Release
from edgecrnn.runtime.board.trial import Trial, begin_trial
from edgecrnn.runtime.files import file_sha256, sha256

ENVIRONMENT = "e" * 16
# Long enough that a cut can come between two steps.
_PAUSE = 0.02  # s
_SIZE = 2_000_000


def flash(board: Board, content: str) -> None:
    """Bring a release there, as rsync leaves it, and switch to it."""
    data = (content.encode() * (_SIZE // len(content)))[:_SIZE]
    release = Release(content, sha256(data), ENVIRONMENT)
    came = board.incoming(release.id)
    came.mkdir(parents=True, exist_ok=True)
    (came / BUNDLE).write_bytes(data)
    (came / SIGNATURE).write_bytes(b"{}")
    (came / RELEASE).write_bytes(release.to_bytes())
    give_place(board, release.id, release, _step)
    begin_trial(board, release.id, Trial(), _step)


def check(board: Board) -> str:
    """What `current` leads to, if that is whole."""
    name = board.linked(board.current)
    if name is None:
        return "broken: no current release"
    try:
        release = board.read_release(name)
        if release.id != name:
            return f"broken: {name} says that it is {release.id}"
        if file_sha256(board.release(name) / BUNDLE) != release.bundle:
            size = (board.release(name) / BUNDLE).stat().st_size
            return f"broken: {BUNDLE} of {name} has {size} bytes, or others"
    except Exception as error:
        return f"broken: {error!r}"
    return f"whole: {release.name}"


def _step(name: str) -> None:
    time.sleep(_PAUSE)


def main(mode: str, folder: Path) -> None:
    board = Board(folder)
    if mode == "flash-unsynced":
        os.fsync = lambda fd: None
    if mode == "set-up":
        board.environment(ENVIRONMENT).mkdir(parents=True)
        (board.environment(ENVIRONMENT) / COMPLETE).touch()
        flash(board, "old")
        os.sync()
        print("\nDONE", flush=True)
        return
    print("\nBEGIN", flush=True)
    flash(board, "new")
    print("\nDONE", flush=True)
    # The cut comes.
    time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
