"""A disk that is full at every size of what is left: a sentence, and the board as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.runtime.board.a_board import KEY, ABoard, public

PIN = ("--pin", public(KEY))
# From no block at all to one less than everything needs.
LEFT = (0, 4096, 8192, 12_288, 16_384, 20_480)


def _fill(folder: Path, left: int) -> Path:
    """Leave so many bytes."""
    file = folder / "full"
    size = 1 << 20
    with file.open("wb", buffering=0) as opened:
        while size >= 512:
            try:
                opened.write(bytes(size))
            except OSError:
                size //= 2
    held = file.stat().st_size
    with file.open("r+b") as opened:
        opened.truncate(max(0, held - left))
    return file


def test_at_any_step_the_board_stays_as_it_was_and_goes_on_with_room(
    small_disk: Path, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    board = ABoard(small_disk / "root")
    film = ["--source", str(write_video(["red"] * 5))]
    old = board.install(bundle_path, film)
    assert board.switch(old)["outcome"] == "healthy"
    new = board.send(bundle_path, [*film, "--threads", "2"])
    refused = 0
    for left in LEFT:
        full = _fill(small_disk, left)
        for command in ("install", "switch"):
            answer = board.ask(command, new)
            if "error" in answer:
                refused += 1
            elif command == "switch" and answer["switching"]:
                board.ask("outcome", new, "--wait", "100")
            assert board.running() in (old, new)
        full.unlink()
        if board.running() == new:
            board.switch(old)
    assert refused
    assert "error" not in board.ask("install", new, *PIN)
    assert board.switch(new)["outcome"] == "healthy"
    assert board.running() == new
    board.close()
